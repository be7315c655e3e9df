// src/train/checkpoint_plan.h - when a run saves its state.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>

#include "core/blame.h"
#include "glidepath/budget.h"

namespace glidepath {

/// Every so many updates, share of the budget, or seconds.
class CheckpointPlan {
 public:
  CheckpointPlan(const std::string& text, const BudgetContext& context) {
    const Budget every = parse_budget(text);
    if (every.unit == BudgetUnit::kSeconds) {
      every_seconds_ = every.amount;
    } else if (every.unit == BudgetUnit::kPercent) {
      every_progress_ = every.amount / 100;
    } else {
      every_updates_ = blame("checkpoint_every", [&] { return updates_in(every, context); });
    }
  }

  /// Whether one is due now; `last_...` are those of the last one, or of the run's start.
  bool due(std::int64_t step, std::int64_t last_step, double progress, double last_progress, double seconds,
           double last_seconds) const {
    if (step == last_step) return false;
    if (every_updates_ > 0) return step / every_updates_ > last_step / every_updates_;
    if (every_progress_ > 0) return count(progress) > count(last_progress);
    return seconds - last_seconds >= every_seconds_;
  }

 private:
  double count(double progress) const { return std::floor(progress / every_progress_ + 1e-9); }

  std::int64_t every_updates_ = 0;
  double every_progress_ = 0, every_seconds_ = 0;
};

}  // namespace glidepath
