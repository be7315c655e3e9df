// src/study/cluster/folder.cpp - what DIR/cluster holds.
#include "study/cluster/folder.h"

#include <algorithm>
#include <ctime>
#include <sstream>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "core/words.h"
#include "files/atomic_file.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "study/plan/check_plan.h"
#include "study/plan/identity.h"
#include "study/store/json_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using nlohmann::json;

/// Words that are no ids are left out: each becomes a part of a path.
std::vector<std::vector<std::string>> read_tasks(const fs::path& file) {
  std::vector<std::vector<std::string>> tasks;
  LineFile lines(file);
  for (std::string line; lines.next(line);) {
    std::istringstream words(line);
    tasks.emplace_back();
    for (std::string word; words >> word;) {
      if (is_run_id(word)) tasks.back().push_back(word);
    }
  }
  return tasks;
}

/// "array-001"
bool is_array_name(const std::string& text) {
  constexpr std::string_view kPrefix = "array-";
  return text.size() > kPrefix.size() && text.size() < 32 && text.compare(0, kPrefix.size(), kPrefix) == 0 &&
         text.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos;
}

std::string checked_array(const std::string& name) {
  if (!is_array_name(name))
    throw InputError(fmt::format("array \"{}\": must be the name of one, for example array-001", name));
  return name;
}

}  // namespace

std::string utc_timestamp() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

Folder ClusterFolder::open() const { return Folder::make(study_).make_inside("cluster"); }

void ClusterFolder::save_plan(const StudyPlan& plan, const std::vector<std::string>& ids) const {
  const Folder folder = open(), runs = folder.make_inside("runs");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string name = ids[i] + ".toml", text = to_toml(plan.runs[i]);
    if (try_read_file(runs.path() / name) != text) write_shared_file(runs, name, text);
  }
  const json entries = {{"version", 1},
                        {"name", plan.name},
                        {"title", plan.title},
                        {"axes", plan.axes},
                        {"values", plan.values},
                        {"is_union", plan.is_union},
                        {"figures", plan.figures},
                        {"source_toml", plan.source_toml},
                        {"runs", ids}};
  write_shared_file(folder, "study.json", json_text(entries, 1) + "\n");
}

ClusterFolder::Plan ClusterFolder::read_plan() const {
  const fs::path file = path_ / "study.json";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    throw InputError(
        fmt::format("{}: no study was submitted from there (cluster/study.json is missing); give the "
                    "--out of glidepath study --executor slurm",
                    study_.string()));
  }
  try {
    const json entries = parse_object(try_read_file(file).value_or(""));
    if (entries.at("version").get<int>() != 1)
      throw InputError(fmt::format("{}: written by a newer Glidepath", file.string()));
    Plan read;
    read.plan.name = entries.at("name");
    read.plan.title = entries.at("title");
    read.plan.axes = entries.at("axes").get<std::vector<std::string>>();
    read.plan.values = entries.at("values").get<std::map<std::string, std::vector<std::string>>>();
    read.plan.is_union = entries.at("is_union");
    read.plan.figures = entries.at("figures").get<std::vector<std::string>>();
    read.plan.source_toml = entries.at("source_toml");
    read.ids = entries.at("runs").get<std::vector<std::string>>();
    if (!std::all_of(read.ids.begin(), read.ids.end(), is_run_id))
      throw json::other_error::create(0, "", nullptr);
    check_plan(read.plan.name, read.plan.title, read.plan.axes, read.plan.values, read.plan.figures,
               file.string());
    return read;
  } catch (const json::exception&) {
    throw InputError(fmt::format(
        "{}: damaged; run glidepath study --executor slurm again, it is written anew", file.string()));
  }
}

TrainConfig ClusterFolder::read_config(const std::string& id) const {
  const fs::path file = path_ / "runs" / (id + ".toml");
  std::error_code error;
  if (!fs::is_regular_file(file, error))  // a pipe would be waited for
    throw InputError(fmt::format("{}: missing; run glidepath study --executor slurm again", file.string()));
  const TrainConfig config = read_train_config(file, ConfigOrigin::kWritten);
  if (!is_run(config, id)) {
    throw InputError(
        fmt::format("{}: holds another run ({}): changed since it was submitted, or by another version "
                    "of Glidepath; run glidepath study --executor slurm again",
                    file.string(), run_id(config)));
  }
  return config;
}

std::optional<TaskNote> ClusterFolder::read_state(const std::string& id) const {
  const json object = read_object(path_ / "runs" / (id + ".json"));
  if (!object.is_object()) return std::nullopt;
  TaskNote state;
  state.state = text_at(object, "state");
  state.error = plain_error(text_at(object, "error"));
  state.job = plain_error(text_at(object, "job"));
  state.host = plain_error(text_at(object, "host"));
  state.started_at = text_at(object, "started_at");
  state.changed_at = text_at(object, "changed_at");
  state.attempts = whole_at(object, "attempts");
  state.requeues = whole_at(object, "requeues");
  state.signal = static_cast<int>(std::min<std::int64_t>(whole_at(object, "signal"), 128));
  return state;
}

void ClusterFolder::write_state(const std::string& id, const TaskNote& state) const {
  const json object = {
      {"state", state.state},   {"error", state.error},           {"job", state.job},
      {"host", state.host},     {"attempts", state.attempts},     {"requeues", state.requeues},
      {"signal", state.signal}, {"started_at", state.started_at}, {"changed_at", utc_timestamp()}};
  write_shared_file(open().make_inside("runs"), id + ".json", json_text(object, 1) + "\n");
}

std::vector<ClusterFolder::Array> ClusterFolder::arrays() const {
  std::vector<Array> arrays;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    Array array;
    array.name = entry.path().filename().string();
    if (!is_array_name(array.name)) continue;
    const json job = read_object(entry.path() / "job.json");
    array.job_name = plain_error(text_at(job, "job_name"));
    array.job_id = text_at(job, "job_id");
    if (!array.job_id.empty() && !words::count(array.job_id)) {
      throw InputError(fmt::format("{}: job_id \"{}\" is no number; the file is damaged",
                                   (entry.path() / "job.json").string(), array.job_id));
    }
    array.tasks = read_tasks(entry.path() / "tasks.txt");
    array.cancelled = fs::exists(entry.path() / "cancelled");
    arrays.push_back(array);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw RunError(fmt::format("{}: cannot be read: {}", path_.string(), error.message()));
  std::sort(arrays.begin(), arrays.end(), [](const Array& a, const Array& b) {
    return std::make_pair(a.name.size(), a.name) < std::make_pair(b.name.size(), b.name);
  });
  return arrays;
}

std::vector<std::string> ClusterFolder::read_task(const std::string& array, std::int64_t index) const {
  const fs::path file = path_ / checked_array(array) / "tasks.txt";
  const auto tasks = read_tasks(file);
  if (index < 0 || static_cast<std::size_t>(index) >= tasks.size()) {
    throw InputError(fmt::format("{}: has no task {}; it has {}", file.string(), index, tasks.size()));
  }
  return tasks[static_cast<std::size_t>(index)];
}

void ClusterFolder::write_array(const Array& array, const std::string& script) const {
  const Folder folder = open().make_inside(array.name);
  std::string tasks;
  for (const auto& runs : array.tasks) tasks += fmt::format("{}\n", fmt::join(runs, " "));
  write_shared_file(folder, "tasks.txt", tasks);
  write_shared_file(folder, "job.sbatch", script);
  record_job(array);
}

void ClusterFolder::record_job(const Array& array) const {
  const json object = {
      {"job_name", array.job_name}, {"job_id", array.job_id}, {"written_at", utc_timestamp()}};
  write_shared_file(open().make_inside(array.name), "job.json", json_text(object, 1) + "\n");
}

void ClusterFolder::remove_array(const std::string& name) const { open().remove_all(name); }

void ClusterFolder::mark_cancelled(const std::string& array) const {
  write_shared_file(open().make_inside(array), "cancelled", utc_timestamp() + "\n");
}

fs::path ClusterFolder::task_log(const std::string& array, std::int64_t index) const {
  return path_ / array / fmt::format("log-{}.txt", index);
}

}  // namespace glidepath
