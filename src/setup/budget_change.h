// src/setup/budget_change.h - the budget of a resumed run, the same one or another.
#pragma once
#include <cstdint>
#include <string>

#include "budget/change.h"
#include "glidepath/budget.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// What a configuration may spend, as text: its budget, or "until " and its deadline.
std::string budget_text(const TrainConfig& config);
/// Puts such a text back.
void set_budget_text(TrainConfig& config, const std::string& text);

/// Updates after which the rates of a run begin to depend on how long its budget is, and those of longer
/// budgets part from them: the decay's beginning for wsd, the first drop for step. -1 where it is the very
/// beginning or the end, by a clock, and once the budget was changed.
std::int64_t branch_step(const TrainConfig& config, const BudgetContext& context, const BudgetState& state,
                         std::int64_t updates);

}  // namespace glidepath
