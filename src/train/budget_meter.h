// src/train/budget_meter.h - how much of a run's budget is spent: the progress that the schedule is asked at.
#pragma once
#include <cstdint>

#include "glidepath/budget.h"

namespace glidepath {

/// Counts updates, or seconds where the budget is a clock's. With a clock, the time that the final evaluation
/// and the writing of the model will take is kept back, and an update that would not end in time is not
/// begun.
class BudgetMeter {
 public:
  /// `step` and `seconds_spent` are what earlier sessions of the run have used.
  BudgetMeter(const Budget& budget, const BudgetContext& context, std::int64_t step, double seconds_spent);

  bool by_clock() const { return budget_.unit == BudgetUnit::kSeconds; }
  /// Updates in the budget; 0 by the clock.
  std::int64_t updates() const { return updates_; }
  std::int64_t step() const { return step_; }

  /// Seconds to keep back for what comes after the last update.
  void set_kept_back(double seconds) { kept_back_ = seconds; }
  /// Reads the clock (seconds spent by the run, sessions before this one included) before an update.
  void tick(double seconds_spent);
  /// Tells that an update ended; `update_seconds` is what it took.
  void update_done(double update_seconds);

  /// Progress of the update about to be made, in [0, 1].
  double progress() const;
  bool finished() const;
  /// Estimated seconds until the last update ends; 0 before the first update.
  double seconds_left() const;

 private:
  double usable_seconds() const;

  Budget budget_;
  std::int64_t updates_ = 0;
  std::int64_t step_;
  std::int64_t steps_here_ = 0;
  double seconds_spent_;
  double kept_back_ = 0;
  double update_seconds_ = 0;  // smoothed
};

}  // namespace glidepath
