// include/glidepath/table.h - the paper's table of a study: schedules by budgets, mean and spread over seeds.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// What one row and one column have in common: the runs that differ in their seed alone.
struct TableCell {
  std::vector<double> values;  ///< test accuracy in percent of the finished runs, in the plan's order
  std::size_t planned = 0;     ///< runs of the plan
  std::size_t diverged = 0;    ///< of them, those whose loss diverged
  std::size_t failed = 0;      ///< of them, those that failed
  double mean = 0;             ///< of values; NaN when there are none
  double stddev = 0;  ///< sample standard deviation (n - 1) of values; NaN when there are fewer than 2
  bool best = false;  ///< no mean of its column is higher as printed
  /// "93.25 ± 0.12", then what is not in: "(n=2, 1 diverged)". "diverged" when all did, "-" when nothing
  /// has ended yet.
  std::string text() const;
};

/// One table. Axes other than the rows', the columns' and the seed give a table for each of their values.
struct StudyTable {
  std::string caption;      ///< "model resnet8": the values of the other axes; may be empty
  std::string row_axis;     ///< e.g. schedule
  std::string column_axis;  ///< e.g. budget; empty when the study has one axis alone
  std::vector<std::string> rows, columns;
  std::vector<std::vector<TableCell>> cells;  ///< [row][column]
  /// Mean over the columns of the row's rank in the column, 1 being the highest mean; equal means share the
  /// mean of their ranks. Only columns in which every row has a value count; empty when there are none, or
  /// one row.
  std::vector<double> average_rank;
  std::size_t ranked_columns = 0;  ///< how many columns the average is over
};

struct TableOptions {
  std::string rows;     ///< an axis; empty: schedule, or else the first axis
  std::string columns;  ///< an axis; empty: budget, or else the next axis
};

/// Throws InputError when rows or columns is no axis of the study.
std::vector<StudyTable> make_tables(const StudyResults& results, const TableOptions& options = {});

/// Aligned for a terminal; best cells in bold when `styled`. UTF-8.
std::string render_terminal(const std::vector<StudyTable>& tables, bool styled);
std::string render_markdown(const std::vector<StudyTable>& tables);
/// One line a row: mean, standard deviation, n, diverged and failed of each column. Quoted as RFC 4180 says.
std::string render_csv(const std::vector<StudyTable>& tables);
/// LaTeX with the booktabs package.
std::string render_latex(const std::vector<StudyTable>& tables);

/// One line a run: id, status, the axes, the numbers, error. Quoted likewise; accuracies in [0, 1].
std::string results_csv(const StudyResults& results);

/// Everything as one JSON document: runs with their configurations, and the tables (accuracies in percent).
std::string results_json(const StudyResults& results, const TableOptions& options = {});

/// Writes table.md, table.csv, table.tex and results.csv into `dir`, each whole or not at all.
/// Throws RunError naming the file.
void write_tables(const std::filesystem::path& dir, const StudyResults& results,
                  const TableOptions& options = {});

}  // namespace glidepath
