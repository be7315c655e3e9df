// src/study/cluster/task.cpp - what a task does on its node.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "glidepath/cluster.h"
#include "glidepath/error.h"
#include "study/cluster/folder.h"
#include "study/cluster/slurm.h"
#include "study/execute/run_process.h"
#include "study/store/run_files.h"
#include "system/lock_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTaskPollEvery = std::chrono::milliseconds(20);
// Slurm may signal every process of a task, and the run's reaches it first.
constexpr auto kTaskSignalMayFollow = 2 * kSignalMayFollow;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// As squeue and scontrol name the task; empty outside Slurm.
std::string slurm_task() {
  const std::string job = environment("SLURM_ARRAY_JOB_ID"), index = environment("SLURM_ARRAY_TASK_ID");
  return job.empty() || index.empty() ? environment("SLURM_JOB_ID") : job + "_" + index;
}

class Task {
 public:
  Task(const ClusterTask& task, const std::function<int()>& stop_signal)
      : options_(task),
        folder_(task.dir),
        stop_signal_(stop_signal),
        program_(task.program.empty() ? this_program() : task.program) {}

  void run() {
    std::string failure;
    const std::vector<std::string> ids = folder_.read_task(options_.array, options_.index);
    for (const std::string& id : ids) {
      const std::string failed = do_run(id);
      if (failure.empty()) failure = failed;
      // A signal that came with the end of the last run has nothing to stop.
      if (stop_ != 0 && (id != ids.back() || !has_ended(id))) stop();
    }
    if (!failure.empty()) throw RunError(failure);
  }

 private:
  bool is_stopping() {
    if (stop_ == 0 && stop_signal_) stop_ = stop_signal_();
    return stop_ != 0;
  }

  /// Empty, or why the run has no result.
  std::string do_run(const std::string& id) {
    RunRecord run;
    run.id = id;
    run.config = folder_.read_config(id);
    run.directory = folder_.run_directory(id);
    auto lock =
        LockFile::take(folder_.lock_file(id), LockFile::this_holder(), [this] { return is_stopping(); });
    if (!lock) return is_stopping() ? "" : fmt::format("run {}: another task works on it", id);
    TaskNote state = folder_.read_state(id).value_or(TaskNote());
    if (state.has_ended()) return "";
    state.job = slurm_task();
    state.host = lock_host();
    state.error.clear();
    // A run that ended just before its task was killed needs no second go.
    if (!holds_run(run.directory, id) || !read_result(run)) {
      state.state = "running";
      state.attempts += 1;
      state.started_at = utc_timestamp();
      folder_.write_state(id, state);
      if (!train(run, *lock)) {
        interrupt(id, state);
        return "";
      }
    }
    return record(run, state);
  }

  bool has_ended(const std::string& id) const {
    const auto state = folder_.read_state(id);
    return state && state->has_ended();
  }

  static std::string lock_host() { return LockFile::this_holder().host; }

  /// False if it was interrupted, and saved what it had.
  bool train(RunRecord& run, LockFile& lock) {
    StartedRun process = start_run(run, program_, /*may_resume=*/true);
    int kills = 0;
    bool is_told = false;
    Clock::time_point renewed = Clock::now();
    while (true) {
      if (is_stopping() && !is_told) {
        process.child.send(stop_ == SIGHUP ? SIGTERM : stop_);
        is_told = true;
      }
      if (Clock::now() - renewed > std::chrono::duration<double>(LockFile::kRenewSeconds)) {
        renewed = Clock::now();
        if (!is_still_ours(lock)) throw RunError(fmt::format("run {}: taken over by another task", run.id));
      }
      const auto end = process.child.poll();
      if (!end) {
        std::this_thread::sleep_for(kTaskPollEvery);
        continue;
      }
      if (end->interrupted()) wait_for_signal();
      const bool is_finished = end->signal == 0 && end->exit_status == kExitOk;
      if (!is_finished && is_stopping()) return false;
      const bool was_killed = end->signal == SIGKILL || end->interrupted();
      if (has_useless_checkpoint(process, *end)) {
        process = start_run(run, program_, /*may_resume=*/false);
      } else if (was_killed && !read_result(run) && kills++ < kGoesAfterKills) {
        process = start_run(run, program_, /*may_resume=*/true);
      } else {
        take_result(run, *end, "more --mem helps");
        return true;
      }
    }
  }

  /// A look that failed may be the network's fault; a second one says whose lock it is.
  static bool is_still_ours(LockFile& lock) {
    if (lock.renew()) return true;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    return lock.renew();
  }

  void wait_for_signal() {
    const auto until = Clock::now() + kTaskSignalMayFollow;
    while (!is_stopping() && Clock::now() < until) std::this_thread::sleep_for(kTaskPollEvery);
  }

  /// Empty, or how the run failed.
  std::string record(const RunRecord& run, TaskNote state) {
    // Where the disk refuses, no run has failed: they can go on when there is room.
    try {
      require_disk(run, folder_.study());
    } catch (const RunError& error) {
      state.state = "interrupted";
      state.error = error.what();
      folder_.write_state(run.id, state);
      throw;
    }
    state.state = to_string(run.status);
    state.error = run.error;
    folder_.write_state(run.id, state);
    return run.status == RunStatus::kFailed ? fmt::format("run {}: {}", run.id, run.error) : "";
  }

  void interrupt(const std::string& id, TaskNote state) {
    state.state = "interrupted";
    state.signal = stop_;
    if (stop_ == SIGUSR1 && state.requeues >= options_.max_requeue) {
      state.error = fmt::format(
          "reached the time limit {} times (--max-requeue); the same study command goes on from "
          "its checkpoint",
          state.requeues + 1);
    } else if (stop_ == SIGUSR1) {
      state.state = "requeued";
      state.requeues += 1;
      may_requeue_ = true;
    }
    interrupted_ = id;
    folder_.write_state(id, state);
  }

  /// The lock is free by now: Slurm may start the task at once.
  [[noreturn]] void stop() {
    if (stop_ == SIGUSR1 && (may_requeue_ || interrupted_.empty())) {
      const std::string refusal = requeue(slurm_task());
      if (!refusal.empty()) {
        note_refusal(refusal);
        throw RunError(
            fmt::format("the time limit is near, and {}; the same study command goes on from here", refusal));
      }
      throw Interrupted("the time limit is near; saved, and put back into the queue", stop_);
    }
    throw Interrupted("stopped; what was reached is saved", stop_);
  }

  void note_refusal(const std::string& refusal) {
    if (interrupted_.empty()) return;
    TaskNote state = folder_.read_state(interrupted_).value_or(TaskNote());
    state.state = "interrupted";
    state.error = "the time limit was near, and " + refusal;
    folder_.write_state(interrupted_, state);
  }

  const ClusterTask& options_;
  const ClusterFolder folder_;
  const std::function<int()>& stop_signal_;
  const fs::path program_;
  int stop_ = 0;
  bool may_requeue_ = false;
  std::string interrupted_;  // the run that the signal met
};

}  // namespace

void run_cluster_task(const ClusterTask& task, const std::function<int()>& stop_signal) {
  Task(task, stop_signal).run();
}

}  // namespace glidepath
