// src/train/budget_state.h - what a run remembers of its budget, and of the budgets it had before.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "glidepath/replan.h"
#include "train/time_budget.h"

namespace glidepath {

/// A budget that was changed when the run was resumed.
struct BudgetChange {
  std::int64_t step = 0;          ///< updates made when it was changed
  std::string from, to;           ///< budgets as text
  std::string how;                ///< re-anneal or rewind
  std::int64_t went_back_to = 0;  ///< the update that training went on from: `step` with re-anneal
};

/// The part of a checkpoint that says where the schedule is. It is the authority: config.toml follows it.
struct BudgetState {
  std::string budget;                 ///< as text; "until ..." for a deadline
  std::int64_t schedule_updates = 0;  ///< what the schedule's counts (warmup=500it) refer to; 0 by the clock
  ProgressOrigin origin;              ///< of a budget in updates
  TimeBudget::State clock;            ///< of a budget in time
  std::vector<BudgetChange> changes;
};

nlohmann::ordered_json to_json(const BudgetState& state);
/// Throws nlohmann's exceptions for what to_json did not write.
BudgetState budget_state_from(const nlohmann::json& json);
/// The changes for people and for config.toml: "100it until update 50, then re-anneal to 200it".
std::vector<std::string> told_changes(const BudgetState& state);

}  // namespace glidepath
