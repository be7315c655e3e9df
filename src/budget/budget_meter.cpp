// src/budget/budget_meter.cpp - how much of a run's budget is spent.
#include "budget/budget_meter.h"

namespace glidepath {

BudgetMeter::BudgetMeter(const Budget& budget, const BudgetContext& context, std::int64_t step,
                         double seconds_spent, const TimeBudget::State& clock, const ProgressOrigin& origin)
    : budget_(budget), step_(step), origin_(origin) {
  if (by_clock()) {
    clock_ = TimeBudget(budget.amount, seconds_spent, step, clock);
  } else {
    updates_ = updates_in(budget, context);
  }
}

void BudgetMeter::tick(double seconds_spent) {
  if (by_clock()) clock_.tick(seconds_spent);
}

void BudgetMeter::update_done(double update_seconds) {
  ++step_;
  if (by_clock()) clock_.update_done(update_seconds);
  // The first updates are slow (memory, kernels chosen); the mean over about ten recent ones follows the
  // machine.
  update_seconds_ = steps_here_ < 10 ? (update_seconds_ * static_cast<double>(steps_here_) + update_seconds) /
                                           static_cast<double>(steps_here_ + 1)
                                     : 0.9 * update_seconds_ + 0.1 * update_seconds;
  ++steps_here_;
}

void BudgetMeter::untimed_update_done() {
  ++step_;
  if (by_clock()) clock_.untimed_update_done();
}

double BudgetMeter::progress() const {
  return by_clock() ? clock_.progress() : progress_from(origin_, step_, updates_);
}

bool BudgetMeter::finished() const { return by_clock() ? clock_.finished() : step_ >= updates_; }

double BudgetMeter::seconds_left() const {
  if (by_clock()) return clock_.seconds_left();
  return update_seconds_ * static_cast<double>(updates_ - step_);
}

}  // namespace glidepath
