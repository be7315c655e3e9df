// src/study/store/run_files.h - what a run leaves in its folder, read back.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

/// Whether this is one of score_names(), with a value that a run may have told of itself; stores and
/// summaries may come from anywhere.
bool is_plausible_score(const std::string& name, double value);

/// Fills status, error and numbers from DIR/summary.json. False if there is none, or not a whole one.
bool read_summary(const std::filesystem::path& dir, RunRecord& run);

/// The same for the run's own folder. True if the run has ended with a result: done, or diverged with what it
/// said of it as the error.
bool read_result(RunRecord& run);

/// The train and eval points of DIR/metrics.jsonl; lines that are not whole are left out.
std::vector<CurvePoint> read_metrics(const std::filesystem::path& dir);

/// Every number of the measure lines of DIR/metrics.jsonl; values that are not finite are left out.
std::vector<MeasurePoint> read_measure_lines(const std::filesystem::path& dir);

/// Progress in the last whole train or eval line of DIR/metrics.jsonl; 0 when there is none.
double latest_progress(const std::filesystem::path& dir);

/// The last line that a run wrote to `log`, without the program's name before it.
std::string last_message(const std::filesystem::path& log);

/// True if DIR/config.toml holds a run with this identity.
bool holds_run(const std::filesystem::path& dir, const std::string& id);

}  // namespace glidepath
