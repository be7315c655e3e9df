// src/loop/callbacks/saver.h - a run's state on disk: checkpoints, and the branch that longer budgets share.
#pragma once
#include <cstdint>
#include <limits>

#include "budget/cadence.h"
#include "glidepath/callback.h"
#include "loop/ending_cost.h"
#include "loop/run.h"
#include "loop/stateful.h"

namespace glidepath {

/// Saves the state at which runs of longer budgets part from this one, for --replan rewind.
class BranchKeeper : public Callback {
 public:
  explicit BranchKeeper(Run& run) : run_(run) {}
  /// Updates; -1: nowhere worth keeping.
  void set_step(std::int64_t step) { step_ = step; }
  bool is_due(RunView&) override { return run_.glide.step() == step_; }
  void act(RunView&) override;

 private:
  Run& run_;
  std::int64_t step_ = -1;
};

/// Saves checkpoints; one that a disk refused is tried again in a while.
class Saver : public Callback, public Stateful {
 public:
  Saver(Run& run, EndingCost& ending);

  bool is_due(RunView&) override;
  void act(RunView&) override;
  void at_end(RunView&) override { save_now(); }
  /// Whether it was written, as rank 0 says.
  bool save_now();

  void save(Saved&) const override {}
  void load(const Saved& saved) override;

 private:
  Moment moment(double now) const { return {run_.glide.step(), run_.glide.progress(), now}; }

  Run& run_;
  EndingCost& ending_;
  Cadence cadence_;
  Moment last_;                                                // or the run's start
  double retry_at_ = std::numeric_limits<double>::infinity();  // after the disk refused one
};

}  // namespace glidepath
