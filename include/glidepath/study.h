// include/glidepath/study.h - a grid of training runs: planned, executed in parallel, stored, resumed.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "glidepath/train_config.h"

namespace glidepath {

/// A study file: `name`, `title`, a [base] table of train options shared by all runs, and a [grid] table of
/// train options that are lists; the runs are the product of the lists. See docs/studies.md.
struct StudyPlan {
  std::string name;
  std::string title;
  std::vector<std::string> axes;  ///< grid keys in the file's order: e.g. schedule, budget, seed
  std::vector<TrainConfig> runs;  ///< the product, seeds outermost so that a stopped study has whole tables
  std::string source_toml;        ///< the file's text, kept in the store
};

/// Throws InputError with file, line and key.
StudyPlan read_study_plan(const std::filesystem::path& file);

/// The identity of a run: a hash of every config value that affects its result. 16 hex digits.
std::string run_id(const TrainConfig& config);

enum class RunStatus { kPending, kRunning, kDone, kFailed };

struct RunRecord {
  std::string id;
  TrainConfig config;
  RunStatus status = RunStatus::kPending;
  std::string error;         ///< one line, when failed
  double test_accuracy = 0;  ///< in [0, 1], after the last update
  double test_loss = 0;
  double train_loss = 0;  ///< mean over the last epoch (or the whole run when shorter)
  std::int64_t updates = 0;
  double seconds = 0;
  std::filesystem::path directory;  ///< the run directory: config.toml, metrics.jsonl, summary.json, ...
};

struct StudyResults {
  std::string name, title;
  std::vector<std::string> axes;
  std::vector<RunRecord> runs;  ///< in the plan's order
};

/// Opens DIR/study.sqlite read-only. Throws InputError when DIR holds no study.
StudyResults read_study_results(const std::filesystem::path& dir);

}  // namespace glidepath
