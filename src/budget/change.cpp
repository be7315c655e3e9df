// src/budget/change.cpp - a budget that is changed while it is being spent.
#include "budget/change.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "core/blame.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

// A factor from which going on would be training in name only.
constexpr double kLandedFactor = 0.005;

bool by_clock(const Budget& budget) { return budget.unit == BudgetUnit::kSeconds; }

void require_more(const std::string& asked, const Budget& after, const Reached& reached,
                  const BudgetContext& context) {
  if (by_clock(after)) {
    if (after.amount > reached.seconds) return;
    throw InputError(fmt::format("budget \"{}\": the run has spent {:.0f} s already; give more than that",
                                 asked, reached.seconds));
  }
  const std::int64_t updates = updates_in(after, context);
  if (updates > reached.step) return;
  throw InputError(
      fmt::format("budget \"{}\": these are {} updates, and the run has made {} already; give more than {}it",
                  asked, updates, reached.step, reached.step));
}

double progress_reached(const BudgetState& state, const Budget& budget, const Reached& reached,
                        const BudgetContext& context) {
  if (reached.is_done) return 1;
  if (by_clock(budget)) return state.clock.progress;
  return progress_from(state.origin, reached.step, updates_in(budget, context));
}

}  // namespace

bool is_deadline(const std::string& budget) { return budget.rfind(kUntil, 0) == 0; }

std::string deadline_in(const std::string& budget) { return budget.substr(std::strlen(kUntil)); }

bool same_budget(const std::string& a, const std::string& b) {
  if (a == b) return true;
  return !is_deadline(a) && !is_deadline(b) && parse_budget(a) == parse_budget(b);
}

Schedule schedule_for(const std::string& text, double base_lr, const BudgetContext& context,
                      std::int64_t updates) {
  ScheduleContext known;
  known.updates = static_cast<double>(updates);
  known.steps_per_epoch = static_cast<double>(context.steps_per_epoch);
  known.base_lr = base_lr;
  const bool full_is_known =
      context.full.unit == BudgetUnit::kFlops ? context.flops_per_step > 0
      : context.full.unit == BudgetUnit::kTokens
          ? context.tokens_per_step > 0
          : context.full.unit == BudgetUnit::kIterations || context.steps_per_epoch > 0;
  if (full_is_known && context.full.unit != BudgetUnit::kSeconds)
    known.full_updates =
        blame("full", [&] { return static_cast<double>(updates_in(context.full, context)); });
  return blame("schedule", [&] { return parse_schedule(text, known); });
}

std::int64_t same_rates(const BudgetState& state, const Schedule& schedule, const Schedule& other,
                        std::int64_t updates) {
  const std::int64_t shared = shared_updates(schedule, state.schedule_updates, other, updates);
  // After a change the rates were no longer those of the first budget.
  return state.changes.empty() ? shared : std::min(shared, state.changes.front().went_back_to);
}

std::string rest_of_schedule(const std::string& schedule, double end_lr, const Budget& budget,
                             std::int64_t updates_left, double seconds_left) {
  return fmt::format(
      "{} to {:.4g} over {}", schedule, end_lr,
      by_clock(budget) ? fmt::format("{:.0f} s", seconds_left) : fmt::format("{} updates", updates_left));
}

std::string re_anneal(BudgetState& state, const std::string& asked, const Budget& before, const Budget& after,
                      const Reached& reached, const BudgetContext& context, const Schedule& schedule,
                      double base_lr) {
  const std::string was = state.budget;
  const double progress = progress_reached(state, before, reached, context);
  const double factor = schedule.plateau() ? reached.plateau_factor : schedule(progress);
  const double end = schedule.plateau() ? factor : schedule(1);
  require_more(asked, after, reached, context);
  if (end == 0 && factor < kLandedFactor) {
    throw InputError(
        fmt::format("budget \"{}\": the run has landed (lr {:.4g} after update {} of {}), so there is "
                    "nothing to anneal from; "
                    "--replan rewind goes back to where both budgets agree",
                    asked, base_lr * factor, reached.step, was));
  }
  state.budget = asked;
  state.origin = {reached.step, progress};
  state.clock = {progress, progress, reached.seconds, true};
  state.changes.push_back({reached.step, was, asked, to_string(Replan::kReAnneal), reached.step});
  const std::int64_t updates_left = by_clock(after) ? 0 : updates_in(after, context) - reached.step;
  return fmt::format(
      "budget {} -> {} at update {}: lr goes on from {:.4g}, {}", was, asked, reached.step, base_lr * factor,
      rest_of_schedule(schedule.text(), base_lr * end, after, updates_left, after.amount - reached.seconds));
}

}  // namespace glidepath
