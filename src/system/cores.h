// src/system/cores.h - how many of the machine's cores this process may use.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

/// What limits a process. Other processes may share the cores, and the time that a cgroup has; they do not
/// share what is said of one process.
struct CoreLimits {
  std::vector<int> mask;          ///< numbers of the cores that it may run on
  std::optional<double> quota;    ///< its cgroups' time, in cores; none: as much as there is
  std::string quota_group;        ///< the cgroup whose time that is
  std::optional<int> of_process;  ///< the least of OMP_NUM_THREADS and SLURM_CPUS_PER_TASK

  /// The least of all, whole and at least 1.
  int cores() const;
};

/// Where limits are looked up; tests have their own.
struct CoreSources {
  std::string root;                             ///< before /proc and /sys
  std::function<const char*(const char*)> get;  ///< getenv() where empty
  std::optional<std::vector<int>> mask;         ///< the process's own where empty
};

/// Of this process, now. cgroups of version 1 and 2, with all that they are in: the strictest counts.
/// A batch script's SLURM_CPUS_PER_TASK is said of its tasks: the script itself has those of the machine that
/// its job has, SLURM_CPUS_ON_NODE.
CoreLimits core_limits(const CoreSources& sources = {});

/// core_limits().cores(). Everything that divides work among threads or processes asks this.
int usable_cores();

/// The cores of one of several processes of a machine, given the limits of all of them: cores and quotas that
/// several have are divided among those. Whole and at least 1; what is said of the process itself is heeded.
int share_of_cores(const std::vector<CoreLimits>& processes, std::size_t which);

}  // namespace glidepath
