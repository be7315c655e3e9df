// src/study/store/import_table.h - a table of runs, a row each, as everyone has them.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "core/csv.h"
#include "study/store/import_results.h"

namespace glidepath {

/// What is imported so far.
struct RunCollector {
  ImportedResults results;
  std::set<std::string> ids;

  /// Completes what the budget says, and adds the run. Throws InputError that begins with `place` where there
  /// is one of the same options.
  void add(RunRecord run, const std::string& place);
};

/// A run of options.set, of which nothing is known.
RunRecord blank_run(const ImportOptions& options);

/// The first row names the columns; read_results_of_others() says how they are taken.
void read_run_table(const std::vector<CsvRow>& rows, const std::string& name, const ImportOptions& options,
                    RunCollector& into);

}  // namespace glidepath
