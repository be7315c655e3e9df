// src/study/cluster/slurm.h - asking Slurm: sbatch, squeue, sacct, scancel, scontrol, and what they answer.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace glidepath {

/// A task of a job array: the array's job id and the index.
using SlurmTask = std::pair<std::string, std::int64_t>;

struct QueueEntry {
  std::string state;   ///< "PENDING", "RUNNING", "CANCELLED", ... without what follows it
  std::string reason;  ///< of one that waits: "Resources"; empty: none
  std::string job_name;
};
using Queue = std::map<SlurmTask, QueueEntry>;

/// True if the task is still to run or to end: it has not left the queue.
bool is_in_queue(const QueueEntry& entry);

/// Lines of squeue in the format "%F|%K|%T|%r|%j"; others are left out.
Queue parse_squeue(const std::string& text);
/// Lines "JobID|State" of sacct --parsable2; those of job steps and of ranges of tasks are left out.
Queue parse_sacct(const std::string& text);
/// The job id in what sbatch --parsable prints: "4711" or "4711;cluster"; empty when there is none.
std::string parse_job_id(const std::string& text);
/// MaxArraySize in what scontrol show config prints.
std::optional<std::int64_t> parse_max_array_size(const std::string& text);

/// What squeue knows of this user's tasks, those that ended lately included; empty, with the reason in `why`,
/// when it does not answer.
std::optional<Queue> ask_squeue(std::string& why);
/// What accounting knows of job arrays; nothing where it is off or missing.
Queue ask_sacct(const std::vector<std::string>& job_ids);
/// How many tasks an array may have; Slurm's own default where it does not tell.
std::int64_t ask_max_array_size();
/// Submits a script; returns the job id. Throws RunError with sbatch's message.
std::string submit(const std::string& script, const std::vector<std::string>& options);
/// Throws RunError with scancel's message.
void cancel_jobs(const std::vector<std::string>& job_ids);
/// Empty, or why the task could not be put back into the queue.
std::string requeue(const std::string& task);

}  // namespace glidepath
