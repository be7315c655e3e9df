// src/run/same_run.cpp - whether a run in a folder is one to go on with.
#include "run/same_run.h"

#include <fmt/format.h>

#include "config/own_programs.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/train.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// A budget is changed on purpose; what that means for the schedule is the trainer's to say.
bool may_change(const std::string& key) { return key == "budget" || key == "deadline"; }

/// A result is never written over, so more training of a run that has one needs a folder of its own.
std::string how_to_train_on(const fs::path& run, const TrainConfig& config) {
  const bool by_clock = !config.deadline.empty() || parse_budget(config.budget).unit == BudgetUnit::kSeconds;
  const std::string more =
      config.deadline.empty() ? "--budget " + config.budget : "--deadline " + config.deadline;
  return fmt::format("glidepath train --resume {0} {1}{2} --out {0}-more", run.string(), more,
                     by_clock ? "" : " --replan rewind");
}

}  // namespace

nlohmann::json summary_in(const fs::path& run) {
  const std::string text = try_read_file(run / "summary.json").value_or("");
  return try_parse_json(text);
}

bool is_finished(const fs::path& run) {
  const auto summary = summary_in(run);
  return summary.is_object() && summary.contains("status") && summary["status"] == "done";
}

void refuse_data(const fs::path& run, const DataRecord& then, const DataRecord& now,
                 const std::vector<std::string>& names_then, const std::vector<std::string>& names_now) {
  throw InputError(
      fmt::format("--resume {}: its data are not those that it was begun with: {}; start a new run "
                  "for that",
                  run.string(), difference(then, now, names_then, names_now)));
}

bool check_same_run(const fs::path& path, const TrainConfig& config) {
  const TrainConfig stored = read_run_config(path);
  bool another_budget = false;
  for (const ConfigKey& key : train_config_keys()) {
    const std::string then = config_value(stored, key.name), now = config_value(config, key.name);
    another_budget = another_budget || (may_change(key.name) && then != now);
    if (is_program_hash(key.name) && then.empty()) continue;  // of an earlier version
    if (key.affects_result && then != now && !may_change(key.name)) {
      throw InputError(fmt::format("--resume {}: this run has {} = {}, not {}; start a new run for that",
                                   path.string(), key.name, then, now));
    }
  }
  return another_budget;
}

void check_same_data(const fs::path& path, const std::string& config_toml, const DataRecord& data,
                     const std::vector<std::string>& class_names) {
  const auto then = data_record_in(config_toml);
  if (!then || *then == data) return;
  const auto names = class_names_from(try_read_file(path / "classes.json").value_or(""));
  refuse_data(path, *then, data, names, class_names);
}

void refuse_finished(const fs::path& path, const TrainConfig& config, bool another_budget) {
  if (!is_finished(path)) return;
  if (another_budget) {
    throw InputError(fmt::format(
        "--resume {}: this run has finished, and its result stays as it is; train on in another folder: {}",
        path.string(), how_to_train_on(path, config)));
  }
  throw InputError(fmt::format("--resume {}: this run has finished; its result is in {}", path.string(),
                               (path / "summary.json").string()));
}

TrainConfig read_run_config(const fs::path& run) {
  const fs::path file = run / "config.toml";
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {  // a pipe would be waited for
    throw InputError(fmt::format(
        "{}: no run there (config.toml is missing); give the --out of an earlier run", run.string()));
  }
  return read_train_config(file, ConfigOrigin::kWritten);
}

}  // namespace glidepath
