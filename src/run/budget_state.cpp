// src/run/budget_state.cpp - what a run remembers of its budget.
#include "run/budget_state.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "run/json_count.h"

namespace glidepath {

nlohmann::ordered_json to_json(const BudgetState& state) {
  auto changes = nlohmann::ordered_json::array();
  for (const BudgetChange& change : state.changes) {
    changes.push_back({{"step", change.step},
                       {"from", change.from},
                       {"to", change.to},
                       {"how", change.how},
                       {"went_back_to", change.went_back_to}});
  }
  return {{"budget", state.budget},
          {"schedule_updates", state.schedule_updates},
          {"origin_step", state.origin.step},
          {"origin_progress", state.origin.progress},
          {"clock_progress", state.clock.progress},
          {"clock_origin_progress", state.clock.origin_progress},
          {"clock_origin_seconds", state.clock.origin_seconds},
          {"clock_begun", state.clock.begun},
          {"changes", changes}};
}

BudgetState budget_state_from(const nlohmann::json& json) {
  BudgetState state;
  state.budget = json.at("budget");
  state.schedule_updates = count_at(json, "schedule_updates");
  state.origin = {count_at(json, "origin_step"), json.at("origin_progress")};
  state.clock = {json.at("clock_progress"), json.at("clock_origin_progress"), json.at("clock_origin_seconds"),
                 json.at("clock_begun")};
  for (const auto& change : json.at("changes")) {
    state.changes.push_back({count_at(change, "step"), change.at("from"), change.at("to"), change.at("how"),
                             count_at(change, "went_back_to")});
  }
  return state;
}

std::vector<std::string> told_changes(const BudgetState& state) {
  std::vector<std::string> told;
  for (const BudgetChange& change : state.changes) {
    told.push_back(fmt::format(
        "{} until update {}, then {} to {}{}", change.from, change.step, change.how, change.to,
        change.went_back_to == change.step ? "" : fmt::format(" from update {}", change.went_back_to)));
  }
  return told;
}

}  // namespace glidepath
