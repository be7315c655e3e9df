// src/study/store/import_results.h - results that exist already, as a study's store.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

struct ImportOptions {
  std::string score;     ///< the column of scores
  bool is_loss = false;  ///< its numbers are losses: lower is better
  std::string unit;      ///< of budgets that are plain numbers: ep, it, %, s; empty: these are refused
  std::map<std::string, std::string> keys;  ///< columns and the options that they are of: {"net", "model"}
  std::vector<std::string> ignored;         ///< columns
  std::vector<std::pair<std::string, std::string>> set;  ///< options that all runs have: {"data", "imagenet"}
};

struct ImportedResults {
  StudyPlan plan;
  std::vector<RunRecord> runs;                            ///< of the plan, in its order: done, or diverged
  std::map<std::string, std::vector<CurvePoint>> curves;  ///< of TensorBoard's runs, by their ids
  std::vector<std::string> notes;                         ///< what was taken for what, and what was left out
};

/// One run a row. Columns: `budget`, `seed`, the score, `seconds`, and axes, which are options of glidepath
/// train (base_lr) or what others call them (lr, arch, epochs); a leading "config/" or "config." and signs
/// are ignored. Columns of W&B's table of runs that are no option are known and left out, as are columns that
/// have one value; any other is refused with the names that would do, as are two rows of one option's values.
/// Of a study's own results.csv what it says beside the options is left out, and runs that diverged are taken
/// for such. Of the options model and data any text is right. TensorBoard's CSV ("Wall time,Step,Value") is
/// one run, whose budget is its last step. `files`: names and contents. Throws InputError that begins with
/// the file's name.
ImportedResults read_results_of_others(const std::vector<std::pair<std::string, std::string>>& files,
                                       const ImportOptions& options);

/// Makes DIR/study.sqlite of them. Throws InputError where DIR holds a study or runs already.
void write_imported(const std::filesystem::path& dir, const ImportedResults& imported);

}  // namespace glidepath
