// src/budget/budget_meter.h - how much of a run's budget is spent: the progress that the schedule is asked
// at.
#pragma once
#include <cstdint>

#include "budget/time_budget.h"
#include "glidepath/budget.h"
#include "glidepath/replan.h"

namespace glidepath {

/// Counts updates, or seconds where the budget is a clock's: TimeBudget then says what progress they make.
class BudgetMeter {
 public:
  /// `step` and `seconds_spent` are what earlier sessions of the run have used, `clock` where they left a
  /// clock's progress, `origin` where the budget was last changed.
  BudgetMeter(const Budget& budget, const BudgetContext& context, std::int64_t step, double seconds_spent,
              const TimeBudget::State& clock = {}, const ProgressOrigin& origin = {});

  bool by_clock() const { return budget_.unit == BudgetUnit::kSeconds; }
  /// Updates in the budget; 0 by the clock.
  std::int64_t updates() const { return updates_; }
  std::int64_t step() const { return step_; }

  /// Reads the clock (seconds spent by the run, sessions before this one included) before an update.
  void tick(double seconds_spent);
  /// Where another process reads the clock: the progress that it came to.
  void follow(double progress) {
    if (by_clock()) clock_.follow(progress);
  }
  /// Tells that an update ended; `update_seconds` is what it took.
  void update_done(double update_seconds);
  /// The same where nobody knows.
  void untimed_update_done();

  /// Progress of the update about to be made, in [0, 1].
  double progress() const;
  bool finished() const;
  /// Estimated seconds until the last update ends; 0 before the first update.
  double seconds_left() const;

  /// The time that a clock's budget is spent by; of no consequence otherwise.
  TimeBudget& clock() { return clock_; }
  const TimeBudget& clock() const { return clock_; }

 private:
  Budget budget_;
  std::int64_t updates_ = 0;
  std::int64_t step_;
  std::int64_t steps_here_ = 0;
  ProgressOrigin origin_;
  TimeBudget clock_;
  double update_seconds_ = 0;  // smoothed
};

}  // namespace glidepath
