// src/study/cluster/status.cpp - where each run of a submitted study is.
#include "study/cluster/status.h"

#include <algorithm>
#include <csignal>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "files/json_text.h"
#include "glidepath/error.h"
#include "study/store/run_files.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Why a task that Slurm ended has no result.
std::string spoken(const std::string& slurm_state) {
  if (slurm_state == "TIMEOUT" || slurm_state == "DEADLINE")
    return "ran into its time limit; give more --time";
  if (slurm_state == "OUT_OF_MEMORY") return "out of memory; give more --mem";
  if (slurm_state == "NODE_FAIL" || slurm_state == "BOOT_FAIL") return "its node failed";
  if (slurm_state == "COMPLETED") return "ended without a result";
  return fmt::format("Slurm: {}", slurm_state);
}

/// Of a run whose task has left the queue.
std::pair<TaskState, std::string> judge_ended(const RunEvidence& run, const std::string& slurm_state) {
  const bool was_preempted_last = run.file && run.file->state == "interrupted" && run.file->error.empty();
  if (run.array_is_cancelled || slurm_state == "CANCELLED" ||
      (slurm_state.empty() && was_preempted_last && run.file->signal == SIGTERM)) {
    return {TaskState::kCancelled, ""};
  }
  if (run.file && !run.file->error.empty()) return {TaskState::kLost, run.file->error};
  if (!slurm_state.empty()) return {TaskState::kLost, spoken(slurm_state)};
  return {TaskState::kLost, "left the queue without a result"};
}

TaskState of_result(const std::string& state) {
  return state == "done" ? TaskState::kDone : state == "diverged" ? TaskState::kDiverged : TaskState::kFailed;
}

struct Place {
  const ClusterFolder::Array* array = nullptr;
  std::int64_t index = 0;
};

/// The newest task of each run.
std::map<std::string, Place> places_of(const std::vector<ClusterFolder::Array>& arrays) {
  std::map<std::string, Place> places;
  for (const ClusterFolder::Array& array : arrays) {
    if (array.job_id.empty()) continue;
    for (std::size_t i = 0; i < array.tasks.size(); ++i) {
      for (const std::string& id : array.tasks[i]) places[id] = {&array, static_cast<std::int64_t>(i)};
    }
  }
  return places;
}

std::optional<QueueEntry> entry_of(const Queue& queue, const Place& place) {
  const auto found = queue.find({place.array->job_id, place.index});
  return found == queue.end() ? std::nullopt : std::optional<QueueEntry>(found->second);
}

/// What a task that never reached its runs left in its log: a node that sees no program, for example.
void explain_loss(TaskStatus& task, const RunEvidence& run, const ClusterFolder& folder, const Place& place) {
  const fs::path log = folder.task_log(place.array->name, place.index);
  std::error_code ignored;
  if (run.file && run.file->state != "submitted") {
    task.reason += fmt::format("; its log is {}", log.string());
  } else if (!fs::exists(log, ignored)) {
    task.reason += fmt::format(", and wrote no {}; do the nodes share that folder?", log.string());
  } else if (const std::string message = last_message(log); !message.empty()) {
    task.reason += fmt::format("; its log ends with: {}", message);
  }
}

class StatusReader {
 public:
  StatusReader(const ClusterFolder& folder, const ClusterFolder::Plan& plan, bool may_guess)
      : folder_(folder),
        plan_(plan),
        may_guess_(may_guess),
        arrays_(folder.arrays()),
        places_(places_of(arrays_)) {}

  ClusterStatus read() {
    status_.name = plan_.plan.name;
    status_.axes = plan_.plan.axes;
    for (const std::string& id : plan_.ids) {
      TaskStatus task;
      task.run_id = id;
      task.config = folder_.read_config(id);
      read_file(task);
      status_.tasks.push_back(task);
    }
    ask_slurm();
    for (std::size_t i = 0; i < status_.tasks.size(); ++i) settle(status_.tasks[i], evidence_[i]);
    return status_;
  }

 private:
  void read_file(TaskStatus& task) {
    RunEvidence run;
    run.file = folder_.read_state(task.run_id);
    if (run.file) {
      task.attempts = run.file->attempts;
      task.host = run.file->host;
    }
    if (!run.file || !run.file->has_ended()) read_summary_of(task, run);
    const auto place = places_.find(task.run_id);
    if (place != places_.end()) {
      run.has_array = true;
      run.array_is_cancelled = place->second.array->cancelled;
      task.job = fmt::format("{}_{}", place->second.array->job_id, place->second.index);
      const bool has_ended = run.file && run.file->has_ended();
      if (!has_ended) open_jobs_.insert(place->second.array->job_id);
    }
    evidence_.push_back(run);
  }

  /// A run may have been done without Slurm, or its task killed just after its end.
  void read_summary_of(TaskStatus& task, RunEvidence& run) const {
    RunRecord record;
    record.directory = folder_.run_directory(task.run_id);
    if (!holds_run(record.directory, task.run_id) || !read_result(record)) return;
    if (!run.file) run.file = TaskNote();
    run.file->state = to_string(record.status);
    run.file->error = record.error;
  }

  void ask_slurm() {
    if (open_jobs_.empty()) return;
    const auto answer = ask_squeue(status_.warning);
    if (!answer && !may_guess_)
      throw RunError(status_.warning + "; without it nobody knows which tasks still run");
    if (!answer) {
      status_.warning += "; the states are what the tasks' own files say";
      return;
    }
    queue_ = *answer;
    is_queue_known_ = true;
    std::vector<std::string> gone;  // jobs of tasks that squeue no longer knows
    for (std::size_t i = 0; i < evidence_.size(); ++i) {
      const RunEvidence& run = evidence_[i];
      if (!run.has_array || (run.file && run.file->has_ended())) continue;
      const Place& place = places_.at(plan_.ids[i]);
      if (!entry_of(queue_, place)) gone.push_back(place.array->job_id);
    }
    gone.erase(std::unique(gone.begin(), gone.end()), gone.end());
    if (!gone.empty()) account_ = ask_sacct(gone);
  }

  void settle(TaskStatus& task, RunEvidence& run) const {
    run.is_queue_known = is_queue_known_;
    const auto place = places_.find(task.run_id);
    if (place != places_.end()) {
      run.queue = entry_of(queue_, place->second);
      run.account = entry_of(account_, place->second);
    }
    std::tie(task.state, task.reason) = judge(run);
    if (task.state == TaskState::kLost) explain_loss(task, run, folder_, place->second);
    const bool is_done = task.state == TaskState::kDone || task.state == TaskState::kDiverged;
    if (is_done) {
      task.progress = 1;
    } else if (task.attempts > 0) {
      task.progress = latest_progress(folder_.run_directory(task.run_id));
    }
  }

  const ClusterFolder& folder_;
  const ClusterFolder::Plan& plan_;
  const bool may_guess_;
  const std::vector<ClusterFolder::Array> arrays_;
  const std::map<std::string, Place> places_;
  std::vector<RunEvidence> evidence_;
  std::set<std::string> open_jobs_;
  Queue queue_, account_;
  bool is_queue_known_ = false;
  ClusterStatus status_;
};

}  // namespace

const char* to_string(TaskState state) {
  switch (state) {
    case TaskState::kMissing:
      return "missing";
    case TaskState::kQueued:
      return "queued";
    case TaskState::kRunning:
      return "running";
    case TaskState::kPreempted:
      return "preempted";
    case TaskState::kDone:
      return "done";
    case TaskState::kDiverged:
      return "diverged";
    case TaskState::kFailed:
      return "failed";
    case TaskState::kCancelled:
      return "cancelled";
    case TaskState::kLost:
      return "lost";
  }
  return "missing";
}

std::size_t ClusterStatus::count(TaskState state) const {
  return static_cast<std::size_t>(
      std::count_if(tasks.begin(), tasks.end(), [&](const TaskStatus& task) { return task.state == state; }));
}

std::pair<TaskState, std::string> judge(const RunEvidence& run) {
  const std::string said = run.file ? run.file->state : "";
  if (run.file && run.file->has_ended()) return {of_result(said), said == "done" ? "" : run.file->error};
  if (!run.has_array) return {TaskState::kMissing, ""};
  const bool has_begun = run.file && said != "submitted";
  if (!run.is_queue_known) {
    if (run.array_is_cancelled) return {TaskState::kCancelled, ""};
    if (!has_begun) return {TaskState::kQueued, ""};
    return {said == "running" ? TaskState::kRunning : TaskState::kPreempted, run.file->error};
  }
  if (!run.queue || !is_in_queue(*run.queue)) {
    const std::string slurm_state = run.queue ? run.queue->state : run.account ? run.account->state : "";
    // Between its end and its way back into the queue.
    if (slurm_state == "PREEMPTED") return {TaskState::kPreempted, ""};
    return judge_ended(run, slurm_state);
  }
  const bool waits = run.queue->state == "PENDING" || run.queue->state.rfind("REQUEUE", 0) == 0;
  if (waits) return {has_begun ? TaskState::kPreempted : TaskState::kQueued, run.queue->reason};
  // A task that does several runs has not come to those that have no file yet.
  if (!has_begun) return {TaskState::kQueued, ""};
  if (said == "running") return {TaskState::kRunning, ""};
  return {TaskState::kPreempted, run.file->error};
}

ClusterStatus cluster_status_of(const ClusterFolder& folder, const ClusterFolder::Plan& plan,
                                bool may_guess) {
  return StatusReader(folder, plan, may_guess).read();
}

bool is_cluster_study(const fs::path& dir) {
  std::error_code ignored;
  if (!fs::exists(dir / "cluster" / "study.json", ignored)) return false;
  const auto arrays = ClusterFolder(dir).arrays();
  return std::any_of(arrays.begin(), arrays.end(),
                     [](const ClusterFolder::Array& array) { return !array.job_id.empty(); });
}

ClusterStatus cluster_status(const fs::path& dir) {
  const ClusterFolder folder(dir);
  return cluster_status_of(folder, folder.read_plan(), /*may_guess=*/true);
}

std::string cluster_status_json(const ClusterStatus& status) {
  using Json = nlohmann::ordered_json;
  Json counts = Json::object();
  for (const TaskState state :
       {TaskState::kMissing, TaskState::kQueued, TaskState::kRunning, TaskState::kPreempted, TaskState::kDone,
        TaskState::kDiverged, TaskState::kFailed, TaskState::kCancelled, TaskState::kLost}) {
    counts[to_string(state)] = status.count(state);
  }
  Json runs = Json::array();
  for (const TaskStatus& task : status.tasks) {
    Json axes = Json::object();
    for (const std::string& axis : status.axes) axes[axis] = config_value(task.config, axis);
    runs.push_back({{"id", task.run_id},
                    {"axes", axes},
                    {"state", to_string(task.state)},
                    {"reason", task.reason},
                    {"job", task.job},
                    {"host", task.host},
                    {"attempts", task.attempts},
                    {"progress", task.progress}});
  }
  return json_text(
             Json{{"name", status.name}, {"counts", counts}, {"warning", status.warning}, {"runs", runs}},
             2) +
         "\n";
}

std::vector<std::string> cancel_study(const fs::path& dir) {
  const ClusterFolder folder(dir);
  folder.read_plan();  // refuses a folder without a study
  std::string why;
  const auto queue = ask_squeue(why);
  if (!queue) throw RunError(why);
  std::set<std::string> open;
  for (const auto& [task, entry] : *queue) {
    if (is_in_queue(entry)) open.insert(task.first);
  }
  std::vector<std::string> jobs;
  for (const ClusterFolder::Array& array : folder.arrays()) {
    if (array.job_id.empty() || open.count(array.job_id) == 0) continue;
    folder.mark_cancelled(array.name);
    jobs.push_back(array.job_id);
  }
  if (!jobs.empty()) cancel_jobs(jobs);
  return jobs;
}

}  // namespace glidepath
