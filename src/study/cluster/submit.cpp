// src/study/cluster/submit.cpp - what is left of a study, as job arrays.
#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <unistd.h>

#include <fmt/format.h>

#include "files/home.h"
#include "glidepath/cluster.h"
#include "glidepath/error.h"
#include "study/cluster/folder.h"
#include "study/cluster/script.h"
#include "study/cluster/slurm.h"
#include "study/cluster/status.h"
#include "study/execute/child.h"
#include "study/store/run_lock.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Where other machines find it as well.
fs::path full_path(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

fs::path checked_program(const fs::path& given) {
  const fs::path program = given.empty() ? this_program() : full_path(given);
  if (::access(program.c_str(), X_OK) != 0)
    throw InputError(fmt::format("{}: is no program that can be run", program.string()));
  return program;
}

std::int64_t threads_of(const StudyPlan& plan) {
  std::int64_t threads = 1;
  for (const TrainConfig& run : plan.runs) threads = std::max(threads, run.threads);
  return threads;
}

/// No other job has it, so that an array whose job id got lost can be found in the queue.
std::string new_job_name(const std::string& study) {
  std::string name = "glidepath-";
  for (const char c : study.substr(0, 40)) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  std::random_device random;
  return name + fmt::format("-{:08x}", random());
}

class Submitter {
 public:
  Submitter(const StudyPlan& plan, const SubmitOptions& options)
      : plan_(plan),
        options_(options),
        folder_(full_path(options.out)),
        program_(checked_program(options.program)) {
    const std::int64_t threads = threads_of(plan);
    cpus_ = options.slurm.cpus > 0 ? options.slurm.cpus : threads;
    if (cpus_ < threads) {
      throw InputError(
          fmt::format("cpus \"{}\": the runs have threads = {}; give at least as many", cpus_, threads));
    }
  }

  Submission run() {
    // A script that cannot be written is told before anything is.
    job_script(script_options({"array-001", "", "", {{}}, false}));
    for (const TrainConfig& config : plan_.runs) ids_.push_back(run_id(config));
    folder_.save_plan(plan_, ids_);
    forget_unsubmitted();
    choose();
    refuse_local_study();
    const std::int64_t per_array = options_.dry_run || left_.empty() ? 1001 : ask_max_array_size();
    const auto tasks = split(static_cast<std::size_t>(per_array));
    std::string previous;
    for (const auto& array_tasks : tasks) previous = submit_array(array_tasks, previous);
    return submission_;
  }

 private:
  /// Arrays of dry runs, and of a submission that ended in the middle. One that Slurm got all the same is
  /// found by its name.
  void forget_unsubmitted() {
    std::optional<Queue> queue;
    std::string why;
    for (ClusterFolder::Array& array : folder_.arrays()) {
      next_array_ = std::max(next_array_, std::atoi(array.name.substr(6).c_str()) + 1);
      if (!array.job_id.empty()) continue;
      const bool was_dry_run = array.job_name.empty();
      if (!was_dry_run && !queue) queue = ask_squeue(why);
      if (!was_dry_run && !queue) throw RunError(why);
      if (!was_dry_run) array.job_id = job_named(*queue, array.job_name);
      if (!array.job_id.empty()) {
        folder_.record_job(array);
      } else {
        folder_.remove_array(array.name);
      }
    }
  }

  static std::string job_named(const Queue& queue, const std::string& name) {
    for (const auto& [task, entry] : queue) {
      if (entry.job_name == name) return task.first;
    }
    return "";
  }

  /// The runs to submit.
  void choose() {
    const ClusterStatus status = cluster_status_of(folder_, {plan_, ids_}, /*may_guess=*/false);
    submission_.runs = ids_.size();
    for (const TaskStatus& task : status.tasks) {
      const TaskState state = task.state;
      const bool has_failed = state == TaskState::kFailed;
      if (state == TaskState::kDone || state == TaskState::kDiverged ||
          (has_failed && !options_.retry_failed)) {
        ++submission_.ended;
      } else if (state == TaskState::kQueued || state == TaskState::kRunning ||
                 state == TaskState::kPreempted) {
        ++submission_.in_queue;
      } else {
        left_.push_back(task.run_id);
      }
    }
  }

  /// A study of this machine may be at work in the folder; its locks are others than those of tasks.
  void refuse_local_study() const {
    std::error_code ignored;
    if (!fs::exists(folder_.study() / "study.lock", ignored)) return;
    for (const std::string& id : left_) {
      if (RunLock::take(folder_.study(), id)) continue;
      throw InputError(fmt::format("{}: a local study works on run {} there; let it end, or stop it first",
                                   options_.out.string(), id));
    }
  }

  using Tasks = std::vector<std::vector<std::string>>;

  /// Runs to tasks, tasks to arrays.
  std::vector<Tasks> split(std::size_t per_array) const {
    const auto per_task = static_cast<std::size_t>(options_.slurm.runs_per_task);
    std::vector<Tasks> arrays;
    for (std::size_t i = 0; i < left_.size(); ++i) {
      if (i % (per_task * per_array) == 0) arrays.emplace_back();
      if (i % per_task == 0) arrays.back().emplace_back();
      arrays.back().back().push_back(left_[i]);
    }
    return arrays;
  }

  ScriptOptions script_options(const ClusterFolder::Array& array) const {
    ScriptOptions script;
    script.slurm = options_.slurm;
    script.job_name = array.job_name;
    script.study = folder_.study();
    script.array = array.name;
    script.program = program_;
    script.working_folder = fs::current_path();
    script.tasks = static_cast<std::int64_t>(array.tasks.size());
    script.cpus = cpus_;
    const fs::path data = folder_named_by("GLIDEPATH_DATA");
    if (!data.empty()) script.data = full_path(data).string();
    return script;
  }

  /// Returns the job's id.
  std::string submit_array(const Tasks& tasks, const std::string& previous) {
    ClusterFolder::Array array;
    array.name = fmt::format("array-{:03}", next_array_++);
    array.job_name = new_job_name(plan_.name);
    array.tasks = tasks;
    const std::string script = job_script(script_options(array));
    if (options_.dry_run) array.job_name.clear();
    folder_.write_array(array, script);
    if (!options_.dry_run) {
      for (const auto& runs : tasks) {
        for (const std::string& id : runs) begin_anew(id);
      }
      std::vector<std::string> more;
      // Each array has its own limit; one after the other they keep that of the study.
      if (options_.slurm.array_limit > 0 && !previous.empty())
        more.push_back("--dependency=afterany:" + previous);
      array.job_id = submit((folder_.path() / array.name / "job.sbatch").string(), more);
      folder_.record_job(array);
    }
    for (const auto& runs : tasks) submission_.submitted += runs.size();
    submission_.arrays.push_back({folder_.path() / array.name, array.job_id, tasks.size()});
    return array.job_id;
  }

  /// What an earlier task said of the run no longer counts; how often it was taken up does.
  void begin_anew(const std::string& id) const {
    auto state = folder_.read_state(id);
    if (!state) return;
    state->state = "submitted";
    state->error.clear();
    state->requeues = 0;
    state->signal = 0;
    folder_.write_state(id, *state);
  }

  const StudyPlan& plan_;
  const SubmitOptions& options_;
  const ClusterFolder folder_;
  const fs::path program_;
  std::int64_t cpus_ = 1;
  std::vector<std::string> ids_, left_;
  int next_array_ = 1;
  Submission submission_;
};

}  // namespace

Submission submit_study(const StudyPlan& plan, const SubmitOptions& options) {
  return Submitter(plan, options).run();
}

}  // namespace glidepath
