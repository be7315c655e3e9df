// src/train/agreement.h - one clock and one set of signals for all processes of a run.
#pragma once
#include <functional>
#include <memory>
#include <utility>

#include <torch/types.h>

#include "glidepath/process_group.h"
#include "glidepath/train.h"

namespace glidepath {

/// What ranks decide by must be the same on all of them, or they part. So in a group the clocks of the
/// options show the time of rank 0 when it was last agreed on, and stop_signal a signal that reached any rank
/// by then. Between agreements time stands still. A run on its own reads its clocks as ever, and agreeing
/// costs it nothing.
class Agreement {
 public:
  /// Puts itself into `options` and agrees for the first time. Ranks but 0 lose the functions that tell
  /// somebody something.
  explicit Agreement(TrainOptions& options);

  /// On the time and on signals. Gives what rank 0 said.
  bool agree(bool said = true);
  /// On the time alone: a broadcast.
  void read_clock();
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
  /// Rank 0's value.
  double from_rank_0(double value);

 private:
  struct Agreed {
    double clock = 0, wall_clock = 0;
    int signal = 0;
  };
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
