// src/watch/snapshot.cpp - how far a study is, read from its folder alone while others write it.
#include "watch/snapshot.h"

#include <algorithm>
#include <limits>
#include <map>

#include "study/plan/estimate.h"
#include "study/store/run_collection.h"
#include "study/store/run_files.h"
#include "study/store/sqlite.h"
#include "study/store/store.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kPoints = 200;

/// Moments of a run in seconds since 1970; NaN for one that has not been.
struct Times {
  double started = 0, finished = 0, lease_until = 0;
};

std::map<std::string, Times> read_times(const fs::path& dir) {
  std::map<std::string, Times> times;
  if (is_run_collection(dir)) {
    // Nobody holds a lease on these; a run that is not over is taken to go on.
    for (const auto& [id, found] : times_of_collection(dir))
      times[id] = {found.started, found.finished, std::numeric_limits<double>::infinity()};
    return times;
  }
  Database database(store_file(dir), Database::Mode::kRead);
  checked_version(database, dir);
  Statement rows(
      database,
      "SELECT id, CAST(strftime('%s', started_at) AS REAL), CAST(strftime('%s', finished_at) AS REAL), "
      "CAST(lease_until AS REAL) FROM runs WHERE position IS NOT NULL");
  while (rows.step()) times[rows.text(0)] = {rows.real(1), rows.real(2), rows.real(3)};
  return times;
}

WatchedRun watch_run(const RunRecord& run, const Times& times, double now) {
  WatchedRun watched;
  watched.run = run;
  watched.progress = latest_progress(run.directory);
  watched.seconds = std::max(0.0, now - times.started);
  watched.is_abandoned = times.lease_until < now;
  for (const CurveTable& table : curve_tables(read_metrics(run.directory))) {
    watched.curves.push_back(thinned(table, kPoints));
  }
  return watched;
}

/// As long as the runs go on side by side, as many as do now.
double seconds_left(const WatchSnapshot& snapshot) {
  TimeEstimate estimate;
  for (const RunRecord& run : snapshot.results.runs) estimate.add(run);
  double sum = 0, longest = 0, workers = 0;
  const auto add = [&](double seconds) {
    sum += seconds;
    longest = std::max(longest, seconds);
  };
  if (estimate.empty()) return std::numeric_limits<double>::quiet_NaN();
  for (const WatchedRun& watched : snapshot.running) {
    add(estimate.seconds(watched.run.config) * (1 - watched.progress));
    workers += watched.is_abandoned ? 0 : 1;
  }
  for (const RunRecord& run : snapshot.results.runs) {
    if (run.status == RunStatus::kPending) add(estimate.seconds(run.config));
  }
  if (workers == 0) return std::numeric_limits<double>::quiet_NaN();
  return std::max(longest, sum / workers);
}

TaskState state_of(RunStatus status) {
  switch (status) {
    case RunStatus::kPending:
      return TaskState::kQueued;
    case RunStatus::kRunning:
      return TaskState::kRunning;
    case RunStatus::kDone:
      return TaskState::kDone;
    case RunStatus::kDiverged:
      return TaskState::kDiverged;
    case RunStatus::kFailed:
      return TaskState::kFailed;
  }
  return TaskState::kMissing;
}

}  // namespace

std::size_t WatchSnapshot::count(RunStatus status) const {
  return static_cast<std::size_t>(std::count_if(results.runs.begin(), results.runs.end(),
                                                [&](const RunRecord& run) { return run.status == status; }));
}

bool WatchSnapshot::is_over() const { return count(RunStatus::kPending) + count(RunStatus::kRunning) == 0; }

StudyProgress WatchSnapshot::progress() const {
  StudyProgress progress;
  progress.total = results.runs.size();
  progress.done = count(RunStatus::kDone);
  progress.diverged = count(RunStatus::kDiverged);
  progress.failed = count(RunStatus::kFailed);
  for (const WatchedRun& watched : running) {
    if (!watched.is_abandoned)
      progress.jobs.push_back({watched.run.config, watched.progress, watched.seconds});
  }
  progress.seconds_left = seconds_left;
  return progress;
}

WatchSnapshot take_snapshot(const fs::path& dir, std::int64_t now) {
  WatchSnapshot snapshot;
  snapshot.results = read_results(dir);
  std::map<std::string, Times> times = read_times(dir);
  const std::vector<RunRecord>& runs = snapshot.results.runs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].status == RunStatus::kRunning) {
      snapshot.running.push_back(watch_run(runs[i], times[runs[i].id], static_cast<double>(now)));
    } else if (runs[i].status != RunStatus::kPending) {
      snapshot.ended.push_back(i);
    }
  }
  std::stable_sort(snapshot.ended.begin(), snapshot.ended.end(), [&](std::size_t a, std::size_t b) {
    return times[runs[a].id].finished > times[runs[b].id].finished;
  });
  snapshot.seconds_left = seconds_left(snapshot);
  return snapshot;
}

ClusterStatus local_status(const WatchSnapshot& snapshot) {
  ClusterStatus status;
  status.name = snapshot.results.name;
  status.axes = snapshot.results.axes;
  for (const RunRecord& run : snapshot.results.runs) {
    TaskStatus task;
    task.run_id = run.id;
    task.config = run.config;
    task.state = state_of(run.status);
    task.reason = run.status == RunStatus::kFailed ? run.error : "";
    task.progress = run.status == RunStatus::kDone ? 1 : 0;
    status.tasks.push_back(std::move(task));
  }
  for (const WatchedRun& watched : snapshot.running) {
    const auto task = std::find_if(status.tasks.begin(), status.tasks.end(),
                                   [&](const TaskStatus& each) { return each.run_id == watched.run.id; });
    task->progress = watched.progress;
    if (!watched.is_abandoned) continue;
    task->state = TaskState::kLost;
    task->reason = "its process is gone; glidepath study goes on with it";
  }
  return status;
}

}  // namespace glidepath
