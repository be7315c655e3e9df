// src/train/trainer_budget.cpp - a run that is resumed with another budget.
#include <algorithm>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "train/trainer.h"

namespace glidepath {
namespace {

constexpr const char* kUntil = "until ";
// A factor from which going on would be training in name only.
constexpr double kLandedFactor = 0.005;
// Looking for the branch step costs as many evaluations of the schedule.
constexpr std::int64_t kLongestSearch = 10'000'000;

bool by_clock(const TrainConfig& config) { return run_budget(config, 0, 0).unit == BudgetUnit::kSeconds; }

std::string rest_of(const TrainConfig& config, const std::string& schedule, double end_lr,
                    std::int64_t updates_left, double seconds_left) {
  return fmt::format(
      "{} to {:.4g} over {}", schedule, end_lr,
      by_clock(config) ? fmt::format("{:.0f} s", seconds_left) : fmt::format("{} updates", updates_left));
}

}  // namespace

std::string budget_text(const TrainConfig& config) {
  return config.deadline.empty() ? config.budget : kUntil + config.deadline;
}

void set_budget_text(TrainConfig& config, const std::string& text) {
  const std::string until = kUntil;
  if (text.compare(0, until.size(), until) == 0) {
    config.deadline = text.substr(until.size());
  } else {
    config.deadline.clear();
    config.budget = text;
  }
}

bool same_budget(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto is_deadline = [](const std::string& text) { return text.rfind(kUntil, 0) == 0; };
  return !is_deadline(a) && !is_deadline(b) && parse_budget(a) == parse_budget(b);
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

// Returns what is to be told, or nothing when the budget is what it was.
std::string Trainer::change_budget(RunState& state, TensorMap& saved) {
  const std::string asked = budget_text(config_), stored = budget_text(read_run_config(directory_.path()));
  TrainConfig before = config_;
  set_budget_text(before, state.budget.budget);
  if (same_budget(asked, stored) || same_budget(asked, state.budget.budget)) {
    config_ = before;
    // Killed while it was being changed; a run that is left stays as it is.
    if (!same_budget(stored, state.budget.budget) && options_.resume_from.empty())
      directory_.rewrite_config(config_, told_changes(state.budget));
    return {};
  }
  const std::string told =
      options_.replan == Replan::kRewind ? rewind(state, saved, before) : re_anneal(state, before);
  state.budget.budget = asked;
  state.trained = false;
  // A run that diverges does not go back to another budget.
  if (rewinds_on_divergence()) state.rewind_step = state.step;
  return told;
}

std::string Trainer::re_anneal(RunState& state, const TrainConfig& before) const {
  const std::string asked = budget_text(config_), was = budget_text(before);
  const double reached = by_clock(before) ? state.budget.clock.progress
                                          : progress_from(state.budget.origin, state.step,
                                                          updates_in(run_budget(before, 0, 0), context_));
  const Schedule schedule = schedule_for(config_, context_, state.budget.schedule_updates);
  const double factor = schedule.plateau() ? state.plateau.factor : schedule(reached);
  const double end = schedule.plateau() ? factor : schedule(1);
  const Budget budget = run_budget(config_, state.seconds, unix_seconds());
  std::int64_t updates_left = 0;
  if (by_clock(config_)) {
    if (!(budget.amount > state.seconds)) {
      throw InputError(fmt::format("budget \"{}\": the run has spent {:.0f} s already; give more than that",
                                   asked, state.seconds));
    }
  } else {
    updates_left = updates_in(budget, context_) - state.step;
    if (updates_left < 1) {
      throw InputError(fmt::format(
          "budget \"{}\": these are {} updates, and the run has made {} already; give more than {}it", asked,
          updates_in(budget, context_), state.step, state.step));
    }
  }
  if (end == 0 && factor < kLandedFactor) {
    throw InputError(
        fmt::format("budget \"{}\": the run has landed (lr {:.4g} after update {} of {}), so there is "
                    "nothing to anneal from; "
                    "--replan rewind goes back to where both budgets agree",
                    asked, base_lr() * factor, state.step, was));
  }
  state.budget.origin = {state.step, reached};
  state.budget.clock = {reached, reached, state.seconds, true};
  state.budget.changes.push_back({state.step, was, asked, to_string(Replan::kReAnneal), state.step});
  return fmt::format(
      "budget {} -> {} at update {}: lr goes on from {:.4g}, {}", was, asked, state.step, base_lr() * factor,
      rest_of(config_, schedule.text(), base_lr() * end, updates_left, budget.amount - state.seconds));
}

std::string Trainer::rewind(RunState& state, TensorMap& saved, const TrainConfig& before) {
  const std::string asked = budget_text(config_), was = budget_text(before);
  if (by_clock(before) || by_clock(config_)) {
    throw InputError(
        fmt::format("--replan rewind: {} and {} cannot be compared update by update, as a clock's "
                    "budget has no number of updates; use --replan re-anneal",
                    was, asked));
  }
  const std::int64_t updates = updates_in(run_budget(config_, 0, 0), context_);
  const std::int64_t first = state.budget.schedule_updates;
  const Schedule schedule = schedule_for(config_, context_, updates);
  std::int64_t shared = shared_updates(schedule_for(config_, context_, first), first, schedule, updates);
  // After a change the rates were no longer those of the first budget.
  if (!state.budget.changes.empty()) shared = std::min(shared, state.budget.changes.front().went_back_to);
  std::vector<BudgetChange> changes = state.budget.changes;
  const std::int64_t step = state.step;
  if (state.step > shared) {
    TensorMap branch;
    const auto kept = directory_.load_branch(branch);
    const bool fits = kept && kept->step <= shared;
    state = fits ? *kept : RunState{};
    rewinds_ = state.rewinds;
    saved = fits ? std::move(branch) : TensorMap{};
  }
  changes.push_back({step, was, asked, to_string(Replan::kRewind), state.step});
  state.budget = {asked, updates, {}, {}, std::move(changes)};
  return fmt::format("budget {} -> {}: both have the same rates for {} updates; {}, then {}", was, asked,
                     shared,
                     state.step == step ? fmt::format("nothing is lost at update {}", step)
                                        : fmt::format("back from update {} to {}", step, state.step),
                     rest_of(config_, schedule.text(), base_lr() * schedule(1), updates - state.step, 0));
}

}  // namespace glidepath
