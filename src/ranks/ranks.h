// src/ranks/ranks.h - the processes that make a run together, of which there may be one.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "glidepath/process_group.h"
#include "glidepath/safetensors.h"
#include "glidepath/train_config.h"
#include "ranks/same_on_all.h"

namespace glidepath {

/// What a process has of the world: the time, and whether it is asked to stop.
struct Surroundings {
  std::function<double()> clock;       ///< seconds that never go back
  std::function<double()> wall_clock;  ///< seconds since 1970
  std::function<int()> stop_signal;    ///< a signal to stop for, or 0; may be empty
};

/// The processes of a run. One alone is a case of it for which every call is free, so that nobody else has to
/// ask whether there are others.
///
/// Whether a collective follows must be the same on all ranks, or they part and wait for each other in vain.
/// So what rests on a clock or a disk is decided by rank 0, which reads its own; the others are told. A
/// signal counts on all once any rank has told of it.
class Ranks {
 public:
  /// Without a `group`, or in one of one: a process alone. Agrees for the first time.
  Ranks(std::shared_ptr<ProcessGroup> group, Surroundings here);

  int rank() const { return group_ ? group_->rank() : 0; }
  int size() const { return group_ ? group_->size() : 1; }
  /// Rank 0 decides, writes and tells; a process alone is it.
  bool is_first() const { return rank() == 0; }
  /// The first on its machine, whose disks are its own.
  bool is_first_here() const { return !group_ || group_->local_rank() == 0; }
  /// "rank 1 (host a, pid 123)".
  std::string name() const { return group_ ? group_->name_of(group_->rank()) : std::string(); }
  /// What this rank computes with: its device of the machine's, its share of the cores.
  TrainConfig config_here(const TrainConfig& config) const;
  /// See ranks/same_on_all.h.
  void require_same(const Facts& facts, const std::string& advice) const;

  /// The time as rank 0 told it last, which other ranks decide nothing by; its own on rank 0.
  double now() const { return here_.clock(); }
  double unix_seconds() const { return here_.wall_clock(); }
  /// The signal to stop for that any rank has told of; 0: none.
  int stop_signal() const { return here_.stop_signal ? here_.stop_signal() : 0; }
  /// The same between two collectives, where a process alone may stop at once; 0 where others would wait for
  /// this one in vain.
  int stop_signal_at_once() const { return group_ ? 0 : stop_signal(); }

  /// What rank 0 says after an update, and after whatever else it has said.
  struct Decision {
    int what = 0;
    double progress = 0;  ///< of a budget in time
  };
  /// What `decide` says on rank 0, where alone it is called: a broadcast.
  Decision first_says(const std::function<Decision()>& decide);
  /// Likewise what rank 0 gives here.
  bool first_says(bool here) const;
  /// On signals and the time. Gives what rank 0 said.
  bool agree(bool said = true);
  /// Whether it is true on any rank.
  bool any(bool here) const;

  /// The sum over all ranks, in place.
  void add_up(const torch::Tensor& sums) const;
  /// What every rank gives, by rank.
  std::vector<std::string> gather(const std::string& bytes) const;
  /// Rank 0's.
  std::string from_first(const std::string& bytes) const;
  TensorMap from_first(const TensorMap& tensors) const;
  /// Gives the tensors, float32 of one device, rank 0's values.
  void copy_from_first(const std::vector<torch::Tensor>& tensors) const;

 private:
  friend class SharedUpdate;
  struct Agreed {
    double clock = 0, wall_clock = 0;
    int signal = 0;
  };
  void tell_times(double* times) const;
  void take_times(const double* times);
  /// Counts of ranks by the number of the signal that reached them.
  void tell_signal(double* counts) const;
  void take_signal(const double* counts);

  std::shared_ptr<ProcessGroup> group_;  // none: alone
  Surroundings own_, here_;
  std::shared_ptr<Agreed> agreed_;
};

}  // namespace glidepath
