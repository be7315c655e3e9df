// src/loop/session_resume.cpp - a run that is gone on with, under its own budget or another.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "core/blame.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "loop/budget_change.h"
#include "loop/run_setup.h"
#include "loop/session.h"
#include "run/budget_state.h"

namespace glidepath {
namespace {

constexpr std::uint64_t kBesideTensors = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kBytesOfStep = 64;                         // of the loss window, and more

// Looking for the branch step costs as many evaluations of the schedule.
constexpr std::int64_t kLongestSearch = 10'000'000;

bool by_clock(const TrainConfig& config) { return run_budget(config, 0, 0).unit == BudgetUnit::kSeconds; }

/// What the other ranks have no use for: rank 0 measures.
void drop_measures(TensorMap& tensors) {
  const std::string prefix = kMeasurePrefix;
  for (auto it = tensors.begin(); it != tensors.end();)
    it = it->first.compare(0, prefix.size(), prefix) == 0 ? tensors.erase(it) : std::next(it);
}

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

void Session::resume() {
  RunDirectory& directory = log_.directory();
  const bool is_left = !options_.resume_from.empty();
  // What a measure keeps for itself may be as much again, and the best weights are less.
  const auto of_window = kBytesOfStep * static_cast<std::uint64_t>(context_.steps_per_epoch);
  directory.limit_checkpoints((callbacks_.evaluator.keeps_best() ? 3 : 2) * bytes_of(log_.content().tensors) +
                              of_window + kBesideTensors);
  Saved saved;
  const std::optional<RunState> found = directory.load_checkpoint(saved.tensors);
  if (!found) {  // killed before its first checkpoint: from the start, whatever its budget was
    directory.require_unsaved();
    if (is_left) directory.go_elsewhere(options_.out);
    kept_glide_.begin(budget_text(config_));
    directory.rewrite_config(config_, {});
    return directory.go_on_from({});
  }
  saved.state = *found;
  const std::string change = change_budget(saved);
  stopwatch_.set_before(saved.state.seconds);
  run_budget(config_, run_.seconds_spent(), ranks_.unix_seconds());  // a deadline that has passed is none
  if (saved.tensors.empty()) saved.tensors = start_tensors();
  restore(saved);
  if (is_left) directory.go_elsewhere(options_.out);
  if (change.empty() && !is_left) return;
  if (!change.empty()) {
    callbacks_.evaluator.start_anew();
    callbacks_.measures.start_anew();
  }
  // The checkpoint is the authority, so it is first: killed between the two, the run goes on as it should.
  const Saved now = log_.content();
  directory.save_changed(now.tensors, now.state);
  directory.rewrite_config(config_, told_changes(now.state.budget));
  if (!change.empty() && options_.on_budget_change) options_.on_budget_change(change);
}

void Session::restore(const Saved& saved) {
  try {
    log_.restore(saved);
  } catch (const InputError& problem) {
    throw InputError(fmt::format("--resume {}: {}", options_.out.string(), problem.what()));
  }
}

/// The tensors of a run that has not begun, as a checkpoint holds them. Seeds torch's generator as the start
/// does.
TensorMap Session::start_tensors() const {
  const auto model = build_model(config_, data_.set, plan_);
  const auto optimizer = make_optimizer(config_, named_parameters(*model));
  Saved start;
  KeptModel(*model, *optimizer).save(start);
  Tally(context_.steps_per_epoch).save(start);
  KeptGenerators(plan_.device).save(start);
  return start.tensors;
}

// Returns what is to be told, or nothing when the budget is what it was.
std::string Session::change_budget(Saved& saved) {
  const std::string asked = budget_text(config_),
                    stored = budget_text(read_run_config(log_.directory().path()));
  BudgetState& budget = saved.state.budget;
  TrainConfig before = config_;
  set_budget_text(before, budget.budget);
  if (same_budget(asked, stored) || same_budget(asked, budget.budget)) {
    config_ = before;
    // Killed while it was being changed; a run that is left stays as it is.
    if (!same_budget(stored, budget.budget) && options_.resume_from.empty())
      log_.directory().rewrite_config(config_, told_changes(budget));
    return {};
  }
  const std::string told =
      options_.replan == Replan::kRewind ? rewind(saved, before) : re_anneal(saved.state, before);
  saved.state.budget.budget = asked;
  saved.state.trained = false;
  // A run that diverges does not go back to another budget.
  if (run_.rewinds_on_divergence()) saved.state.rewind_step = saved.state.step;
  return told;
}

std::string Session::re_anneal(RunState& state, const TrainConfig& before) const {
  const Schedule schedule = schedule_for(config_, context_, state.budget.schedule_updates);
  return glidepath::re_anneal(state.budget, budget_text(config_), run_budget(before, 0, 0),
                              run_budget(config_, state.seconds, ranks_.unix_seconds()),
                              {state.step, state.seconds, state.plateau.factor}, context_, schedule,
                              std::ldexp(config_.base_lr, -static_cast<int>(state.rewinds)));
}

std::string Session::rewind(Saved& saved, const TrainConfig& before) {
  const std::string asked = budget_text(config_), was = budget_text(before);
  if (by_clock(before) || by_clock(config_)) {
    throw InputError(
        fmt::format("--replan rewind: {} and {} cannot be compared update by update, as a clock's "
                    "budget has no number of updates; use --replan re-anneal",
                    was, asked));
  }
  RunState& state = saved.state;
  const Budget budget = run_budget(config_, 0, 0);
  const std::int64_t updates = updates_in(budget, context_), first = state.budget.schedule_updates;
  const Schedule schedule = schedule_for(config_, context_, updates);
  std::int64_t shared = shared_updates(schedule_for(config_, context_, first), first, schedule, updates);
  // After a change the rates were no longer those of the first budget.
  if (!state.budget.changes.empty()) shared = std::min(shared, state.budget.changes.front().went_back_to);
  std::vector<BudgetChange> changes = state.budget.changes;
  const std::int64_t step = state.step;
  if (state.step > shared) {
    Saved branch;
    const auto kept = log_.directory().load_branch(branch.tensors);
    const bool fits = kept && kept->step <= shared;
    if (fits) branch.state = *kept;
    saved = fits ? std::move(branch) : Saved{};
  }
  changes.push_back({step, was, asked, to_string(Replan::kRewind), state.step});
  state.budget = {asked, updates, {}, {}, std::move(changes)};
  const double end_lr = std::ldexp(config_.base_lr, -static_cast<int>(state.rewinds)) * schedule(1);
  return fmt::format("budget {} -> {}: both have the same rates for {} updates; {}, then {}", was, asked,
                     shared,
                     state.step == step ? fmt::format("nothing is lost at update {}", step)
                                        : fmt::format("back from update {} to {}", step, state.step),
                     rest_of_schedule(schedule.text(), end_lr, budget, updates - state.step, 0));
}

// Rank 0 has read the checkpoint, or made the first weights; the others need no file of its run.
void Session::share_state() {
  Saved saved = log_.content();
  drop_measures(saved.tensors);
  const nlohmann::json mine = {{"config", to_toml(config_)},
                               {"state", run_state_text(saved.state)},
                               {"seconds_before", stopwatch_.before()}};
  const auto first = nlohmann::json::parse(ranks_.from_first(json_text(mine)));
  saved.tensors = ranks_.from_first(saved.tensors);
  if (ranks_.is_first()) return;
  saved.state = run_state_from(first.at("state"));
  config_ = parse_train_config(first.at("config"), "rank 0's configuration");
  stopwatch_.set_before(first.at("seconds_before"));
  restore(saved);
}

// Rank 0 saves the last update that was made by all. Returns what is to be said of it, behind the cause.
std::string Session::saved_for_later() {
  const RunDirectory& directory = log_.directory();
  std::string kept;
  if (ranks_.is_first() && has_begun_ && directory.writes()) {
    updater_.undo();
    if (first_not_finite(*model_, optimizer_->state()).empty()) {
      const Saved saved = log_.content();
      log_.directory().save_checkpoint_somewhere(saved.tensors, saved.state);
    }
    kept = fmt::format("stopped at update {}; ", glide_.step());
  }
  const std::string folder = directory.writes() ? directory.path().string() : options_.out.string();
  return folder.empty()
             ? ""
             : fmt::format("; {}go on with: glidepath train --resume {}", kept, shell_word(folder));
}

}  // namespace glidepath
