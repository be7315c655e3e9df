// include/glidepath/process_group.h - the processes that train one model together.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {

/// Where a process stands among those of its job.
struct Place {
  int rank = 0;                  ///< in [0, world_size)
  int world_size = 1;            ///< processes of the job
  int local_rank = -1;           ///< among those of this machine; -1: found out when joining
  int local_world_size = -1;     ///< processes on this machine; -1: found out when joining
  std::string master_address;    ///< of the machine of rank 0, as the others reach it
  int master_port = 0;           ///< 0: a free one, told by port_file
  std::string port_file;         ///< on one machine without a port: where rank 0 writes the one it took
  bool store_is_served = false;  ///< by the launcher; otherwise rank 0 serves it
  std::string store_prefix;      ///< put before every key
};

/// The place that a launcher has given this process, by the variables of torchrun (RANK, WORLD_SIZE,
/// MASTER_ADDR, MASTER_PORT), Open MPI's or MPICH's mpirun, or Slurm's srun; nothing for a process on its own
/// or in a job of one. `get` is getenv(), or a test's. Throws InputError naming the variable that is missing
/// or wrong.
std::optional<Place> place_from_environment(const std::function<const char*(const char*)>& get = {});

/// What the job stopped for, thrown on the ranks where it did not happen. The message names the rank, its
/// machine and process.
class RankFailed : public Error {
 public:
  RankFailed(const std::string& message, int exit_status) : Error(message), exit_status_(exit_status) {}
  int exit_status() const noexcept override { return exit_status_; }

 private:
  int exit_status_;
};

struct ProcessGroupOptions {
  double join_seconds = 300;   ///< for all ranks to come
  double silent_seconds = 15;  ///< without a sign of life a rank counts as gone
};

/// A process's part in a job. Every rank calls the same collectives in the same order; they work on tensors
/// of the CPU and, where LibTorch's Gloo was built with CUDA, of a device. A thread beside tells the others
/// that this process lives, and looks after them: when one is gone, fails or stands still, every collective
/// of the others throws RankFailed. A collective waits for as long as all are alive.
class ProcessGroup {
 public:
  /// Waits until all ranks are there, join_seconds or what GLIDEPATH_JOIN_SECONDS says. Throws InputError
  /// without c10d, RunError or RankFailed when they do not meet, without words where another rank tells it.
  static std::shared_ptr<ProcessGroup> join(const Place& place, const ProcessGroupOptions& options = {});
  /// Whether this build can: LibTorch has c10d, and Gloo's headers were there.
  static bool is_available();
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  int rank() const;
  int size() const;
  int local_rank() const;
  int local_size() const;
  /// "rank 1 (host a, pid 123)".
  std::string name_of(int rank) const;

  /// A collective under way.
  class Pending {
   public:
    void wait();

   private:
    friend class ProcessGroup;
    std::shared_ptr<void> work_;
    ProcessGroup* group_ = nullptr;
  };

  /// The sum over all ranks, in place, the same bits on each. Dense, contiguous tensors.
  void all_reduce(torch::Tensor tensor);
  /// Likewise; the tensor is not to be touched before wait().
  Pending all_reduce_later(torch::Tensor tensor);
  /// Rank 0's values.
  void broadcast(torch::Tensor tensor);
  std::string broadcast(std::string bytes);
  /// What every rank gives, by rank.
  std::vector<std::string> all_gather(const std::string& bytes);
  /// Until all ranks have come here.
  void barrier();

  /// The end of a job that went well, or stopped on all ranks alike: waits for all, and then no longer looks
  /// after them.
  void leave();
  /// Tells the others, once, why this rank stops; they throw RankFailed. Nothing when the job has failed
  /// already.
  void fail(const std::string& message, int exit_status);
  /// Whether it falls to this rank to tell the user of a failure: rank 0, or who is next when that is gone.
  bool speaks() const;

 private:
  struct Impl;
  explicit ProcessGroup(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace glidepath
