// src/loop/trainer_budget.cpp - a run that is resumed with another budget.
#include <algorithm>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "loop/trainer.h"

namespace glidepath {
namespace {

// Looking for the branch step costs as many evaluations of the schedule.
constexpr std::int64_t kLongestSearch = 10'000'000;

bool by_clock(const TrainConfig& config) { return run_budget(config, 0, 0).unit == BudgetUnit::kSeconds; }

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
  const Schedule schedule = schedule_for(config_, context_, state.budget.schedule_updates);
  return glidepath::re_anneal(state.budget, budget_text(config_), run_budget(before, 0, 0),
                              run_budget(config_, state.seconds, unix_seconds()),
                              {state.step, state.seconds, state.plateau.factor}, context_, schedule,
                              base_lr());
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
                     rest_of_schedule(schedule.text(), base_lr() * schedule(1), run_budget(config_, 0, 0),
                                      updates - state.step, 0));
}

}  // namespace glidepath
