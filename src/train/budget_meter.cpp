// src/train/budget_meter.cpp - how much of a run's budget is spent.
#include "train/budget_meter.h"

#include <algorithm>

namespace glidepath {

BudgetMeter::BudgetMeter(const Budget& budget, const BudgetContext& context, std::int64_t step,
                         double seconds_spent)
    : budget_(budget), step_(step), seconds_spent_(seconds_spent) {
  if (!by_clock()) updates_ = updates_in(budget, context);
}

void BudgetMeter::tick(double seconds_spent) { seconds_spent_ = seconds_spent; }

void BudgetMeter::update_done(double update_seconds) {
  ++step_;
  // The first updates are slow (memory, kernels chosen); the mean over about ten recent ones follows the
  // machine.
  update_seconds_ = steps_here_ < 10 ? (update_seconds_ * static_cast<double>(steps_here_) + update_seconds) /
                                           static_cast<double>(steps_here_ + 1)
                                     : 0.9 * update_seconds_ + 0.1 * update_seconds;
  ++steps_here_;
}

double BudgetMeter::usable_seconds() const {
  // However costly the evaluation, at least half of the time is for training.
  return budget_.amount - std::min(kept_back_, budget_.amount / 2);
}

double BudgetMeter::progress() const {
  if (!by_clock()) return progress_at(step_, updates_);
  return std::min(1.0, seconds_spent_ / usable_seconds());
}

bool BudgetMeter::finished() const {
  if (!by_clock()) return step_ >= updates_;
  if (step_ == 0) return false;  // a run of no updates would be no run
  return seconds_spent_ + update_seconds_ > usable_seconds();
}

double BudgetMeter::seconds_left() const {
  if (by_clock()) return std::max(0.0, usable_seconds() - seconds_spent_);
  return update_seconds_ * static_cast<double>(updates_ - step_);
}

}  // namespace glidepath
