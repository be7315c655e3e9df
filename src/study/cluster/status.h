// src/study/cluster/status.h - where each run of a submitted study is.
#pragma once
#include "glidepath/cluster.h"
#include "study/cluster/folder.h"
#include "study/cluster/slurm.h"

namespace glidepath {

/// Of the plan's runs. Where squeue does not answer: with `may_guess` the tasks' own files must do, and the
/// warning says so; otherwise throws RunError unless every run has ended.
ClusterStatus cluster_status_of(const ClusterFolder& folder, const ClusterFolder::Plan& plan, bool may_guess);

/// Where a run is, by its own file and by Slurm; the first that says something counts.
struct RunEvidence {
  bool has_array = false;             ///< it was submitted
  bool array_is_cancelled = false;    ///< by study cancel
  bool is_queue_known = false;        ///< squeue answered
  std::optional<TaskNote> file;       ///< what its tasks said
  std::optional<QueueEntry> queue;    ///< of its task, when squeue still knows it
  std::optional<QueueEntry> account;  ///< of its task, when accounting knows it
};
/// State and reason.
std::pair<TaskState, std::string> judge(const RunEvidence& run);

}  // namespace glidepath
