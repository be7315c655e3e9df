// src/study/store/run_collection.cpp - folders of runs that no study made.
#include "study/store/run_collection.h"

#include <algorithm>
#include <limits>
#include <set>
#include <sys/stat.h>
#include <vector>

#include <fmt/format.h>

#include "config/toml.h"
#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "study/plan/check_plan.h"
#include "study/plan/identity.h"
#include "study/store/run_files.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostRuns = 10'000, kMostConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kLongestName = 100;

// A plain file, not a link to one: what is looked for is what a run writes.
bool is_file(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(fs::symlink_status(file, error));
}

bool is_run_folder(const fs::path& dir) {
  return is_file(dir / "config.toml") && is_file(dir / "metrics.jsonl");
}

/// The runs' folders, in the order of their names: DIR itself, or those in it.
std::vector<fs::path> run_folders(const fs::path& dir) {
  if (is_run_folder(dir)) return {dir};
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::directory_iterator entry(dir, error), end; !error && entry != end; entry.increment(error)) {
    const bool is_folder = fs::is_directory(entry->symlink_status(error));
    if (!is_folder || !is_run_folder(entry->path())) continue;
    if (folders.size() == kMostRuns)
      throw InputError(
          fmt::format("{}: holds more than {} runs; give a folder of fewer", dir.string(), kMostRuns));
    folders.push_back(entry->path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::string id_of(const fs::path& folder) {
  const fs::path whole = folder.lexically_normal();
  return id_of_text((whole.has_filename() ? whole.filename() : whole.parent_path().filename()).string());
}

/// What a loop says of its data or model, which are no names of ours.
std::string told_name(const toml::table& loop, const char* key, const std::string& usual) {
  const std::string name = loop[key].value_or(usual);
  return problem_of_line(name, kLongestName).empty() ? name : usual;
}

TrainConfig read_config(const fs::path& file) {
  const auto text = try_read_given_file(file, kMostConfigBytes);
  if (!text) throw InputError(fmt::format("{}: cannot be read", file.string()));
  TrainConfig config = parse_train_config(*text, file.string(), ConfigOrigin::kWritten);
  const toml::table whole = parse_toml(*text, file.string());
  if (const toml::table* loop = whole["loop"].as_table()) {
    config.data = told_name(*loop, "data", "data of its own");
    config.model = told_name(*loop, "model", "a model of its own");
  }
  return config;
}

/// True of a hash that says no more than the file's name: no run has that file with another content.
bool says_what_another_says(const std::string& key, const std::vector<RunRecord>& runs) {
  const std::string file = key == "model_sha256" ? "model" : key == "plugin_sha256" ? "plugin" : "";
  if (file.empty()) return false;
  std::map<std::string, std::string> known;
  return std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
    const std::string hash = config_value(run.config, key);
    return known.emplace(config_value(run.config, file), hash).first->second == hash;
  });
}

/// What the runs differ in, and always what tables and figures are made by.
std::vector<std::string> axes_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> axes;
  for (const ConfigKey& key : train_config_keys()) {
    if (says_what_another_says(key.name, runs)) continue;
    std::set<std::string> values;
    for (const RunRecord& run : runs) values.insert(config_value(run.config, key.name));
    const bool is_usual = key.name == "schedule" || key.name == "budget" || key.name == "seed";
    if (is_usual || (values.size() > 1 && key.affects_result)) axes.push_back(key.name);
  }
  return axes;
}

void require_different(const std::vector<RunRecord>& runs, const std::vector<std::string>& axes) {
  std::map<std::string, fs::path> known;
  for (const RunRecord& run : runs) {
    std::string options;
    for (const std::string& axis : axes)
      options += fmt::format(" {}={}", axis, config_value(run.config, axis));
    const auto [other, is_new] = known.emplace(options, run.directory);
    if (is_new) continue;
    throw InputError(
        fmt::format("{}: has the options of {} ({} ); give them seeds of their own in config.toml, or look "
                    "at each by itself",
                    run.directory.string(), other->second.string(), options));
  }
}

double modified(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(status.st_mtim.tv_sec);
}

}  // namespace

bool is_run_collection(const fs::path& dir) {
  std::error_code error;
  return !fs::exists(store_file(dir), error) && !run_folders(dir).empty();
}

StudyResults read_run_collection(const fs::path& dir) {
  StudyResults results;
  results.name = "runs";
  for (const fs::path& folder : run_folders(dir)) {
    RunRecord run;
    run.id = id_of(folder);
    run.config = read_config(folder / "config.toml");
    run.directory = folder;
    run.attempts = 1;
    run.status = RunStatus::kRunning;
    read_summary(folder, run);
    check_result(run, folder.string());
    results.runs.push_back(std::move(run));
  }
  results.axes = axes_of(results.runs);
  require_different(results.runs, results.axes);
  for (const std::string& axis : results.axes) {
    for (const RunRecord& run : results.runs) {
      std::vector<std::string>& values = results.values[axis];
      const std::string value = config_value(run.config, axis);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
  }
  return results;
}

std::map<std::string, fs::path> folders_of_collection(const fs::path& dir) {
  std::map<std::string, fs::path> folders;
  for (const fs::path& folder : run_folders(dir)) folders.emplace(id_of(folder), folder);
  return folders;
}

std::map<std::string, RunTimes> times_of_collection(const fs::path& dir) {
  std::map<std::string, RunTimes> times;
  for (const fs::path& folder : run_folders(dir))
    times[id_of(folder)] = {modified(folder / "config.toml"), modified(folder / "summary.json")};
  return times;
}

}  // namespace glidepath
