// src/train/evaluation_plan.h - when a run looks at the test set.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>

#include "core/blame.h"
#include "glidepath/budget.h"

namespace glidepath {

/// How often to look at the test set: by updates, by progress, or only at the end (both zero).
struct EvaluationPlan {
  std::int64_t every_updates = 0;
  double every_progress = 0;

  EvaluationPlan(const std::string& text, const BudgetContext& context) {
    if (text == "end") return;
    const Budget every = parse_budget(text);
    if (every.unit == BudgetUnit::kPercent) {
      every_progress = every.amount / 100;
    } else {
      every_updates = blame("eval_every", [&] { return updates_in(every, context); });
    }
  }
  /// How many evaluations are due by now.
  std::int64_t due(std::int64_t step, double progress) const {
    if (every_updates > 0) return step / every_updates;
    return every_progress > 0 ? static_cast<std::int64_t>(std::floor(progress / every_progress + 1e-9)) : 0;
  }
};

}  // namespace glidepath
