// src/budget/change.h - a budget that is changed while it is being spent.
#pragma once
#include <cstdint>
#include <string>

#include "glidepath/budget.h"
#include "glidepath/budget_state.h"
#include "glidepath/schedule.h"

namespace glidepath {

/// What a deadline is written with in the place of a budget: "until 2026-12-01T06:00".
constexpr const char* kUntil = "until ";
bool is_deadline(const std::string& budget);
/// The time in it.
std::string deadline_in(const std::string& budget);

/// Whether two budgets as text mean the same: 60m and 1h do.
bool same_budget(const std::string& a, const std::string& b);

/// The schedule of this text for a run of `updates`, or 0 where a clock decides. Throws InputError, for
/// "schedule" or "full".
Schedule schedule_for(const std::string& text, double base_lr, const BudgetContext& context,
                      std::int64_t updates);

/// How many updates of a run in this state, whose first budget had `schedule`, have had the rates of a run of
/// `updates` under `other`.
std::int64_t same_rates(const BudgetState& state, const Schedule& schedule, const Schedule& other,
                        std::int64_t updates);

/// Where a run is when its budget changes.
struct Reached {
  std::int64_t step = 0;
  double seconds = 0;
  double plateau_factor = 1;  ///< for the schedule that follows the loss
  bool is_done = false;       ///< whether a budget in time has ended; its progress stays a little short of 1
};

/// Lets the rate go on from where it is to the end of the budget `after`, written `asked`: changes `state`
/// and says what was done. `schedule` is the run's, `before` its budget until now. Throws InputError, and
/// leaves `state` as it was, for a budget that is spent already and for a rate that has landed.
std::string re_anneal(BudgetState& state, const std::string& asked, const Budget& before, const Budget& after,
                      const Reached& reached, const BudgetContext& context, const Schedule& schedule,
                      double base_lr);

/// "linear to 0 over 300 updates".
std::string rest_of_schedule(const std::string& schedule, double end_lr, const Budget& budget,
                             std::int64_t updates_left, double seconds_left);

}  // namespace glidepath
