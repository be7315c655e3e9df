// include/glidepath/process_group.h - the processes that train one model together.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/error.h"

namespace at {
class Tensor;  // torch::Tensor; who has one to give has its header
}  // namespace at

namespace glidepath {

/// Where a process stands among those of its job.
struct Place {
  int rank = 0;                ///< in [0, world_size)
  int world_size = 1;          ///< processes of the job
  int local_rank = -1;         ///< among those of this machine; -1: found out when joining
  int local_world_size = -1;   ///< processes on this machine; -1: found out when joining
  std::string master_address;  ///< of the machine of rank 0, as the others reach it
  int master_port = 0;         ///< 0: a free one, told by meeting_file
  /// On one machine: where rank 0 leaves the port that it took and a secret, for this user's processes alone.
  std::string meeting_file;
  bool store_is_served = false;  ///< by the launcher; otherwise rank 0 serves it
  /// The launcher's own store (torchrun's agent), which anybody can ask, is at master_address: rank 0 leaves
  /// there where it serves the job's.
  bool agent_serves = false;
  std::string store_prefix;  ///< put before every key
  /// What the processes of the job know and nobody else: who does not know it is not listened to. Empty: made
  /// up for meeting_file; otherwise this user's, of ~/.config/glidepath/job-secret.
  std::string secret;
};

/// That a launcher has started this process as one of several.
struct Seat {
  std::string launcher;  ///< mpirun, srun, ...
  int rank = 0, size = 1;
};

/// Nothing for a process that none of the launchers we know has started. Throws InputError naming a variable
/// that is wrong.
std::optional<Seat> seat_from_environment(const std::function<const char*(const char*)>& get = {});

/// The place that a launcher has given this process, by the variables of torchrun (RANK, WORLD_SIZE,
/// MASTER_ADDR, MASTER_PORT), Open MPI's or MPICH's mpirun, Slurm's srun, jsrun, flux, MVAPICH's mpirun_rsh,
/// PALS or horovodrun; nothing for a process on its own or in a job of one. `get` is getenv(), or a test's.
/// Throws InputError naming the variable that is missing or wrong, or a launcher that does not tell enough.
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
  /// Of this machine's cores, those of this rank: what its processes share is divided among them.
  int cores() const;
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
  void all_reduce(at::Tensor tensor);
  /// Likewise; the tensor is not to be touched before wait().
  Pending all_reduce_later(at::Tensor tensor);
  /// Rank 0's values.
  void broadcast(at::Tensor tensor);
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
