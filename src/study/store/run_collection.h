// src/study/store/run_collection.h - folders of runs that no study made: of `glidepath train`, and of other
// people's loops that write as it does (Python's glidepath.Run).
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "glidepath/study.h"

namespace glidepath {

/// Whether DIR is a run's folder (config.toml and metrics.jsonl), or holds one, and no study's store.
bool is_run_collection(const std::filesystem::path& dir);

/// read_results for such a DIR. A run without a summary.json is taken to be running.
StudyResults read_run_collection(const std::filesystem::path& dir);

/// The folders of its runs, by id.
std::map<std::string, std::filesystem::path> folders_of_collection(const std::filesystem::path& dir);

/// Seconds since 1970 of a run's beginning and end, as its files tell them; NaN for an end that has not been.
struct RunTimes {
  double started = 0, finished = 0;
};
std::map<std::string, RunTimes> times_of_collection(const std::filesystem::path& dir);

}  // namespace glidepath
