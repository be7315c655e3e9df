// src/setup/budget_change.cpp - the budget of a resumed run, the same one or another.
#include "setup/budget_change.h"

#include "setup/run_setup.h"

namespace glidepath {
namespace {

// Looking for the branch step costs as many evaluations of the schedule.
constexpr std::int64_t kLongestSearch = 10'000'000;

}  // namespace

std::string budget_text(const TrainConfig& config) {
  return config.deadline.empty() ? config.budget : kUntil + config.deadline;
}

void set_budget_text(TrainConfig& config, const std::string& text) {
  if (is_deadline(text)) {
    config.deadline = deadline_in(text);
  } else {
    config.deadline.clear();
    config.budget = text;
  }
}

std::int64_t branch_step(const TrainConfig& config, const BudgetContext& context, const BudgetState& state,
                         std::int64_t updates) {
  if (updates < 2 || updates > kLongestSearch || !state.changes.empty()) return -1;
  const Schedule schedule = schedule_for(config, context, updates);
  if (schedule.plateau()) return -1;
  const std::int64_t step =
      shared_updates(schedule, updates, schedule_for(config, context, 2 * updates), 2 * updates);
  return step > 1 && step < updates ? step : -1;
}

}  // namespace glidepath
