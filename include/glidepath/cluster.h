// include/glidepath/cluster.h - a study as job arrays of Slurm: submitted, watched, cancelled, collected.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "glidepath/study.h"

namespace glidepath {

struct SubmitOptions {
  std::filesystem::path out;      ///< on a file system that the nodes share; made if missing
  SlurmSettings slurm;            ///< those of the study file with what the command line changes
  std::filesystem::path program;  ///< glidepath as the nodes see it; empty: the program that is running
  bool retry_failed = false;      ///< submit runs that failed as well
  bool dry_run = false;           ///< write scripts and tasks, submit nothing
};

/// One job array.
struct SubmittedArray {
  std::filesystem::path folder;  ///< OUT/cluster/array-NNN: job.sbatch, tasks.txt, job.json, logs
  std::string job_id;            ///< empty after a dry run
  std::size_t tasks = 0;
};

struct Submission {
  std::vector<SubmittedArray> arrays;
  std::size_t runs = 0;      ///< of the study
  std::size_t ended = 0;     ///< of them, those with a result
  std::size_t in_queue = 0;  ///< those queued or running already
  std::size_t submitted = 0;
};

/// Writes OUT/cluster: the list of runs, and for each new job array a folder with its script and its tasks.
/// Runs that have a result, and those that are queued or running, are left alone; what is missing, was
/// cancelled or left the queue without a result is submitted. Throws InputError for a folder or a program
/// that cannot be used, RunError when a program of Slurm is missing or refuses (its message is quoted).
Submission submit_study(const StudyPlan& plan, const SubmitOptions& options);

/// Where a run of a submitted study is.
enum class TaskState {
  kMissing,    ///< never submitted
  kQueued,     ///< waits for its first start
  kRunning,    ///< a node works on it
  kPreempted,  ///< was stopped by Slurm, waits in the queue to go on from its checkpoint
  kDone,
  kDiverged,
  kFailed,     ///< ended with an error of its own
  kCancelled,  ///< by study cancel or scancel
  kLost        ///< left the queue without a result: time limit, memory, node, a folder that nodes do not see
};
/// "missing", "queued", "running", "preempted", "done", "diverged", "failed", "cancelled", "lost".
const char* to_string(TaskState state);

struct TaskStatus {
  std::string run_id;
  TrainConfig config;
  TaskState state = TaskState::kMissing;
  std::string job;     ///< as squeue names it: 4711_3; empty when never submitted
  std::string reason;  ///< one line: why it waits, failed or was lost; empty when there is nothing to say
  std::string host;    ///< that works, or worked last, on it
  std::int64_t attempts = 0;  ///< how often a node took it up
  double progress = 0;        ///< spent / budget, in [0, 1]
};

struct ClusterStatus {
  std::string name;
  std::vector<std::string> axes;
  std::vector<TaskStatus> tasks;  ///< of the plan's runs, in its order
  std::string warning;            ///< what could not be asked of Slurm; empty: nothing
  std::size_t count(TaskState state) const;
};

/// True if a study was submitted from DIR.
bool is_cluster_study(const std::filesystem::path& dir);

/// From the tasks' own files, squeue, and sacct where accounting is on. Opens no SQLite file. Throws
/// InputError when no study was submitted from DIR.
ClusterStatus cluster_status(const std::filesystem::path& dir);
std::string cluster_status_json(const ClusterStatus& status);

/// Cancels what is queued or running; returns the ids of the job arrays. Results stay.
std::vector<std::string> cancel_study(const std::filesystem::path& dir);

/// Merges what the tasks wrote into a study store, in `out` (empty: DIR). The store is made in a temporary
/// folder of this machine and then put in place in one rename: SQLite never works on the shared folder.
StudyResults collect_study(const std::filesystem::path& dir, const std::filesystem::path& out = {});

/// A task of a job array: line `index`, counted from 0, of DIR/cluster/ARRAY/tasks.txt.
struct ClusterTask {
  std::filesystem::path dir;
  std::string array;  ///< "array-001"
  std::int64_t index = 0;
  std::int64_t max_requeue = 10;
  std::filesystem::path program;  ///< what runs `train`; empty: the program that is running
};

/// What a task does on its node: its runs, one after the other, each under a lock, from its checkpoint where
/// there is one. Asked often, `stop_signal` tells a signal to stop for, or 0: SIGUSR1 (the time limit is
/// near) saves and puts the task back into the queue, any other saves and ends. Throws RunError when a run
/// failed, Interrupted when stopped.
void run_cluster_task(const ClusterTask& task, const std::function<int()>& stop_signal);

}  // namespace glidepath
