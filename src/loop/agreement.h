// src/loop/agreement.h - what the processes of a run have to know of each other to stay together.
#pragma once
#include <functional>
#include <memory>
#include <utility>

#include <torch/types.h>

#include "glidepath/process_group.h"
#include "glidepath/train.h"
#include "loop/agenda.h"

namespace glidepath {

/// What rank 0 says after an update, and after whatever else it has said.
struct Decision {
  Next next = Next::kUpdate;
  double progress = 0;  ///< of a budget in time
};

/// Whether a collective follows must be the same on all ranks, or they part and wait for each other in vain.
/// So what rests on a clock or a disk is decided by rank 0, which reads its own; the others are told. A
/// signal counts on all once any rank has told of it.
///
/// A run on its own decides by itself, and agreeing costs it nothing.
class Agreement {
 public:
  /// Puts itself into `options` and agrees for the first time. Ranks but 0 lose the functions that tell
  /// somebody something, and see the time that rank 0 told last, which they decide nothing by.
  explicit Agreement(TrainOptions& options);

  /// What `decide` says on rank 0, where alone it is called: a broadcast.
  Decision rank_0_says(const std::function<Decision()>& decide);
  /// Likewise what rank 0 gives here.
  bool rank_0_says(bool here);

  /// On signals and the time. Gives what rank 0 said.
  bool agree(bool said = true);
  /// Starts to add up what an update tells, and signals; backward may run meanwhile. `news`: this rank has
  /// something to tell the others.
  void start_sums(double loss_sum, double correct, bool news);
  struct Sums {
    double loss = 0, correct = 0;
    bool news = false;  ///< on any rank
  };
  Sums finish_sums();
  /// Whether it is true on any rank.
  bool any(bool here);

 private:
  struct Agreed {
    double clock = 0, wall_clock = 0;
    int signal = 0;
  };
  bool is_rank_0() const { return group_->rank() == 0; }
  void tell_times(double* times) const;
  void take_times(const double* times);
  /// Counts of ranks by the number of the signal that reached them.
  void tell_signal(double* counts) const;
  void take_signal(const double* counts);

  std::shared_ptr<ProcessGroup> group_;
  std::shared_ptr<Agreed> agreed_;
  std::function<double()> clock_, wall_clock_;
  std::function<int()> stop_signal_;
  torch::Tensor sums_;
  ProcessGroup::Pending pending_;
};

/// The configuration that this rank computes with: its device of the machine's, its share of the cores.
TrainConfig config_for_rank(const TrainConfig& config, const ProcessGroup* group);

}  // namespace glidepath
