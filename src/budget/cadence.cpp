// src/budget/cadence.cpp - how often something is done in a run.
#include "budget/cadence.h"

#include <algorithm>
#include <cmath>

namespace glidepath {
namespace {

// Progress is a quotient: without it a tenth of the budget would be passed at the third tenth or behind it.
constexpr double kRounding = 1e-9;

}  // namespace

Cadence::Cadence(const Budget& every, const BudgetContext& context) {
  if (every.unit == BudgetUnit::kSeconds) {
    every_seconds_ = every.amount;
  } else if (every.unit == BudgetUnit::kPercent) {
    every_progress_ = every.amount / 100;
  } else {
    every_updates_ = updates_in(every, context);
  }
}

Cadence Cadence::points(std::int64_t points) {
  Cadence cadence;
  cadence.every_progress_ = 1 / static_cast<double>(points);
  return cadence;
}

std::int64_t Cadence::passed(std::int64_t step, double progress) const {
  if (every_updates_ > 0) return step / every_updates_;
  if (every_progress_ <= 0) return 0;
  return static_cast<std::int64_t>(std::floor(progress / every_progress_ + kRounding));
}

bool Cadence::is_due(const Moment& now, const Moment& last) const {
  if (now.step == last.step) return false;
  if (every_seconds_ > 0) return now.seconds - last.seconds >= every_seconds_;
  return passed(now.step, now.progress) > passed(last.step, last.progress);
}

std::int64_t Cadence::moments(std::int64_t updates) const {
  double between = 0;
  if (every_updates_ > 0) between = static_cast<double>(updates) / static_cast<double>(every_updates_);
  if (every_progress_ > 0) between = std::min(1 / every_progress_, static_cast<double>(updates));
  return 1 + static_cast<std::int64_t>(std::ceil(between - kRounding));
}

double Cadence::moments_between(double updates) const {
  if (every_updates_ > 0) return std::floor((updates - 1) / static_cast<double>(every_updates_));
  return every_progress_ > 0 ? std::ceil(1 / every_progress_) - 1 : 0;
}

}  // namespace glidepath
