// src/study/execute/executor.cpp - runs what is left of a study, several runs side by side, each a process of
// its own.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "glidepath/clock.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/execute/own_files.h"
#include "study/execute/run_process.h"
#include "study/plan/estimate.h"
#include "study/store/run_files.h"
#include "study/store/run_lock.h"
#include "study/store/store.h"
#include "system/cores.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPollEvery = std::chrono::milliseconds(10);
constexpr auto kProgressEvery = std::chrono::milliseconds(500);
constexpr double kRenewEverySeconds = StudyStore::kLeaseSeconds / 6.0;
// When nothing is free, how often to look whether another process has given something back.
constexpr auto kLookAgainAfter = std::chrono::milliseconds(500);
constexpr auto kPatienceWhenStopping = std::chrono::seconds(60);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Job {
  Job(RunRecord run_, RunLock lock_) : run(std::move(run_)), lock(std::move(lock_)) {}
  RunRecord run;
  RunLock lock;  // before the child, which is ended first
  StartedRun process;
  int kills = 0;
  Clock::time_point started = Clock::now();
  std::optional<ChildEnd> end;  // interrupted: kept until we know whether we are to stop as well
  Clock::time_point ended{};
};

class Executor {
 public:
  Executor(const StudyPlan& plan, const StudyOptions& options)
      : options_(options),
        store_(options.out),
        program_(options.program.empty() ? this_program() : options.program) {
    for (const TrainConfig& config : plan.runs) {
      ids_.push_back(run_id(config));
      configs_.emplace(ids_.back(), config);
    }
    store_.save_plan(plan, ids_);
    tell_of_programs(plan);
    if (options.retry_failed) store_.retry_failed(ids_);
    learn_finished();
    limit_ = options.jobs > 0 ? options.jobs : default_jobs(plan);
  }

  ~Executor() {
    std::vector<std::string> unfinished;
    for (const Job& job : jobs_) unfinished.push_back(job.run.id);
    jobs_.clear();  // kills them first
    for (const std::string& id : unfinished) release_quietly(id);
  }

  void run() {
    while (true) {
      watch_signal();
      collect();
      if (stop_ == 0) start_more();
      if (jobs_.empty() && (stop_ != 0 || left_.empty())) break;
      keep_lease();
      report_progress();
      std::this_thread::sleep_for(kPollEvery);
    }
    if (stop_ != 0) {
      throw Interrupted(fmt::format("stopped with {} of {} runs finished; the same command goes on from here",
                                    ids_.size() - left_.size(), ids_.size()),
                        stop_);
    }
  }

 private:
  static std::int64_t default_jobs(const StudyPlan& plan) {
    std::int64_t threads = 1;
    for (const TrainConfig& run : plan.runs) {
      threads = std::max(threads, run.threads == 0 ? usable_cores() : run.threads);
    }
    return std::max<std::int64_t>(1, usable_cores() / threads);
  }

  void tell_of_programs(const StudyPlan& plan) {
    const auto has_programs = [](const TrainConfig& run) {
      return !run.model_sha256.empty() || !run.plugin_sha256.empty();
    };
    if (!options_.on_note || std::none_of(plan.runs.begin(), plan.runs.end(), has_programs)) return;
    for (const std::string& line : changed_programs(plan.runs, store_.left_out())) options_.on_note(line);
  }

  /// Seconds of the runs that earlier sessions finished, and which are left.
  void learn_finished() {
    for (const RunRecord& run : read_study_results(options_.out).runs) estimate_.add(run);
    refresh_left();
  }

  void refresh_left() {
    const auto statuses = store_.statuses();
    left_.clear();
    counts_ = {};
    for (const std::string& id : ids_) {
      const RunStatus status = statuses.at(id);
      ++counts_[status];
      if (status == RunStatus::kPending || status == RunStatus::kRunning) left_.push_back(id);
    }
  }

  void watch_signal() {
    const int signal = options_.stop_signal ? options_.stop_signal() : 0;
    if (stop_ == 0 && signal != 0) {
      stop_ = signal;
      stopped_at_ = Clock::now();
      // A run saves at SIGINT and SIGTERM; a closed terminal is no reason to lose its work.
      for (const Job& job : jobs_) job.process.child.send(signal == SIGHUP ? SIGTERM : signal);
    }
    if (stop_ != 0 && Clock::now() - stopped_at_ > kPatienceWhenStopping) {
      for (const Job& job : jobs_) job.process.child.send(SIGKILL);
    }
  }

  /// Takes in every run that has ended.
  void collect() {
    for (std::size_t i = 0; i < jobs_.size();) {
      Job& job = jobs_[i];
      if (!job.end) {
        job.end = job.process.child.poll();
        job.ended = Clock::now();
      }
      if (job.end && settle(job)) {
        jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
      } else {
        ++i;
      }
    }
  }

  /// True when nothing more is to be done for the ended run.
  bool settle(Job& job) {
    const ChildEnd end = *job.end;
    const bool finished = end.signal == 0 && end.exit_status == kExitOk;
    if (!finished && stop_ != 0) {
      store_.release(self_, job.run.id);
      return true;
    }
    if (end.interrupted() && Clock::now() - job.ended < kSignalMayFollow) return false;
    if (has_useless_checkpoint(job.process, end)) {
      launch(job, /*may_resume=*/false);  // its checkpoint is of no use
      return false;
    }
    const bool was_killed = end.signal == SIGKILL || end.interrupted();
    if (was_killed && !read_result(job.run) && job.kills++ < kGoesAfterKills) {
      launch(job, /*may_resume=*/true);
      return false;
    }
    finish(job.run, end);
    return true;
  }

  void finish(RunRecord& run, const ChildEnd& end) {
    take_result(run, end);
    require_disk(run, options_.out);
    record(run);
  }

  void record(const RunRecord& run) {
    if (!store_.finish(self_, run, read_metrics(run.directory), read_measure_lines(run.directory)))
      return;  // lost to another process
    left_.erase(std::remove(left_.begin(), left_.end(), run.id), left_.end());
    ++counts_[run.status];
    estimate_.add(run);
    if (options_.on_finished) options_.on_finished(run, progress());
  }

  void start_more() {
    if (static_cast<std::int64_t>(jobs_.size()) >= limit_ || left_.empty() || Clock::now() < look_again_)
      return;
    while (static_cast<std::int64_t>(jobs_.size()) < limit_) {
      std::optional<RunLock> lock;
      const auto choose = [&](const std::vector<std::string>& free) { return this->choose(free, lock); };
      const auto claim = store_.claim(self_, left_, choose);
      if (!claim) {
        refresh_left();
        look_again_ = Clock::now() + kLookAgainAfter;
        return;
      }
      try {
        start(*claim, std::move(*lock));
      } catch (...) {
        release_quietly(claim->id);
        throw;
      }
    }
  }

  void release_quietly(const std::string& id) noexcept {
    try {
      store_.release(self_, id);
    } catch (const std::exception&) {  // the claim ends with this process
    }
  }

  /// The first in the plan's order whose lock is free; near the end the longest, so that no long run is left
  /// over for one core.
  std::optional<std::size_t> choose(const std::vector<std::string>& free,
                                    std::optional<RunLock>& lock) const {
    std::vector<std::size_t> order(free.size());
    std::iota(order.begin(), order.end(), 0);
    if (static_cast<std::int64_t>(free.size()) <= 2 * limit_) put_longest_first(order, free);
    for (const std::size_t index : order) {
      lock = RunLock::take(options_.out, free[index]);
      if (lock) return index;
    }
    return std::nullopt;
  }

  void put_longest_first(std::vector<std::size_t>& order, const std::vector<std::string>& free) const {
    const auto size = [&](const std::string& id) {
      const TrainConfig& config = configs_.at(id);
      return estimate_.empty() ? images_to_train(config) : estimate_.seconds(config);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return size(free[a]) > size(free[b]); });
  }

  void start(const StudyStore::Claim& claim, RunLock lock) {
    RunRecord run;
    run.id = claim.id;
    run.config = configs_.at(claim.id);
    run.attempts = claim.attempts;
    run.directory = options_.out / "runs" / claim.id;
    // A run that ended just before its study was killed needs no second go.
    if (holds_run(run.directory, claim.id) && read_result(run)) return record(run);
    run.error.clear();
    jobs_.emplace_back(std::move(run), std::move(lock));
    launch(jobs_.back(), /*may_resume=*/true);
  }

  /// From the run's checkpoint where there is one, or else from the start.
  void launch(Job& job, bool may_resume) {
    job.process = start_run(job.run, program_, may_resume, job.lock.descriptor());
    job.end.reset();
    job.started = Clock::now();
  }

  /// Renews our claims; a run that another process took while this one was asleep is given up.
  void keep_lease() {
    if (budget_clock_seconds() - renewed_ < kRenewEverySeconds) return;
    renewed_ = budget_clock_seconds();
    if (store_.renew(self_) == static_cast<std::int64_t>(jobs_.size())) return;
    const auto lost = [&](const Job& job) { return !store_.owns(self_, job.run.id); };
    jobs_.erase(std::remove_if(jobs_.begin(), jobs_.end(), lost), jobs_.end());
  }

  void report_progress() {
    if (!options_.on_progress || Clock::now() - reported_ < kProgressEvery) return;
    reported_ = Clock::now();
    options_.on_progress(progress());
  }

  std::size_t count(RunStatus status) const {
    const auto found = counts_.find(status);
    return found == counts_.end() ? 0 : found->second;
  }

  StudyProgress progress() const {
    StudyProgress progress;
    progress.total = ids_.size();
    progress.done = count(RunStatus::kDone);
    progress.diverged = count(RunStatus::kDiverged);
    progress.failed = count(RunStatus::kFailed);
    const std::size_t running = count(RunStatus::kRunning);
    progress.elsewhere = running > jobs_.size() ? running - jobs_.size() : 0;
    for (const Job& job : jobs_) {
      progress.jobs.push_back(
          {job.run.config, latest_progress(job.run.directory), seconds_since(job.started)});
    }
    progress.seconds_left = seconds_left(progress.jobs);
    return progress;
  }

  double seconds_left(const std::vector<StudyProgress::Job>& running) const {
    double sum = 0, longest = 0;
    const auto add = [&](double seconds) {
      sum += seconds;
      longest = std::max(longest, seconds);
    };
    std::set<std::string> started;
    for (const Job& job : jobs_) started.insert(job.run.id);
    if (estimate_.empty()) return std::numeric_limits<double>::quiet_NaN();
    for (const StudyProgress::Job& job : running) {
      add(estimate_.seconds(job.config) * (1 - job.progress));
    }
    for (const std::string& id : left_) {
      if (started.count(id) == 0) add(estimate_.seconds(configs_.at(id)));
    }
    return std::max(longest, sum / static_cast<double>(limit_));
  }

  const StudyOptions& options_;
  StudyStore store_;
  const fs::path program_;
  const Owner self_ = this_process();
  std::int64_t limit_ = 1;
  std::vector<std::string> ids_;   // of the plan, in its order
  std::vector<std::string> left_;  // of them, those not known to be finished
  std::unordered_map<std::string, TrainConfig> configs_;
  std::map<RunStatus, std::size_t> counts_;  // of the plan's runs, when they were last asked after
  TimeEstimate estimate_;
  std::vector<Job> jobs_;
  int stop_ = 0;
  Clock::time_point stopped_at_{}, look_again_{}, reported_{};
  double renewed_ = budget_clock_seconds();
};

}  // namespace

StudyResults run_study(const StudyPlan& plan, const StudyOptions& options) {
  Executor(plan, options).run();
  return read_study_results(options.out);
}

}  // namespace glidepath
