// src/run/budget_state.h - what a run remembers of its budget, and of the budgets it had before.
#pragma once
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "glidepath/budget_state.h"

namespace glidepath {

/// The part of a checkpoint that says where the schedule is. It is the authority: config.toml follows it.
nlohmann::ordered_json to_json(const BudgetState& state);
/// Throws nlohmann's exceptions for what to_json did not write.
BudgetState budget_state_from(const nlohmann::json& json);
/// The changes for people and for config.toml: "100it until update 50, then re-anneal to 200it".
std::vector<std::string> told_changes(const BudgetState& state);

}  // namespace glidepath
