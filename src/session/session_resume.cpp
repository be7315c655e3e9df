// src/session/session_resume.cpp - a run that is gone on with, under its own budget or another.
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>

#include "config/budget_scale.h"
#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "run/budget_state.h"
#include "schedule/average_text.h"
#include "session/session.h"
#include "setup/budget_change.h"
#include "setup/first_weights.h"
#include "setup/run_setup.h"

namespace glidepath {
namespace {

constexpr std::uint64_t kBesideTensors = std::uint64_t{64} << 20;  // bytes
constexpr std::uint64_t kBytesOfStep = 64;                         // of the loss window, and more

bool by_clock(const TrainConfig& config) { return run_budget(config, 0, 0).unit == BudgetUnit::kSeconds; }

/// Of the states that an average keeps.
std::uint64_t of_averages(const Run& run) {
  constexpr std::uint64_t kMostStates = AverageText::kMostStates + 1;
  return run.config.average == "none" ? 0 : kMostStates * bytes_of(state_dict(*run.model));
}

/// What the other ranks have no use for: rank 0 measures.
void drop_measures(TensorMap& tensors) {
  const std::string prefix = kMeasurePrefix;
  for (auto it = tensors.begin(); it != tensors.end();)
    it = it->first.compare(0, prefix.size(), prefix) == 0 ? tensors.erase(it) : std::next(it);
}

}  // namespace

void Session::resume() {
  RunDirectory& directory = run_.log.directory();
  const bool is_left = !run_.options.resume_from.empty();
  // What a measure keeps for itself may be as much again, and the best weights are less.
  const auto of_window = kBytesOfStep * static_cast<std::uint64_t>(run_.context.steps_per_epoch);
  directory.limit_checkpoints((callbacks_.evaluator.keeps_best() ? 3 : 2) *
                                  bytes_of(run_.log.content().tensors) +
                              of_averages(run_) + of_window + kBesideTensors);
  Saved saved;
  const std::optional<StateMap> found = directory.load_checkpoint(saved.tensors);
  if (!found) {  // killed before its first checkpoint: from the start, whatever its budget was
    directory.require_unsaved();
    if (is_left) directory.go_elsewhere(run_.options.out);
    kept_glide_.begin(budget_text(run_.config));
    directory.rewrite_config(run_.config, {});
    return directory.start_over();
  }
  saved.state = *found;
  const std::string change = change_budget(saved);
  run_.stopwatch.set_before(saved.state.get<GlidePlace>().seconds);
  run_budget(run_.config, run_.seconds_spent(),
             run_.ranks.unix_seconds());  // a deadline that has passed is none
  if (saved.tensors.empty()) saved.tensors = start_tensors();
  restore(saved);
  if (is_left) directory.go_elsewhere(run_.options.out);
  if (change.empty() && !is_left) return;
  if (!change.empty()) {
    callbacks_.evaluator.start_anew();
    callbacks_.measures.start_anew();
  }
  // The checkpoint is the authority, so it is first: killed between the two, the run goes on as it should.
  const Saved now = run_.log.content();
  directory.save_changed(now.tensors, now.state);
  directory.rewrite_config(run_.config, told_changes(run_.glide.state().budget));
  if (!change.empty() && run_.options.on_budget_change) run_.options.on_budget_change(change);
}

void Session::restore(const Saved& saved) {
  try {
    run_.log.restore(saved);
  } catch (const InputError& problem) {
    throw InputError(fmt::format("--resume {}: {}", run_.options.out.string(), problem.what()));
  }
}

/// The tensors of a run that has not begun, as a checkpoint holds them. Seeds torch's generator as the start
/// does.
TensorMap Session::start_tensors() const {
  const auto model = experiment_.model ? placed(run_.model, run_.config, run_.plan)
                                       : new_model(run_.model_config(), run_.data.set, run_.plan);
  if (!run_.config.init.empty()) load_first_weights(run_.config, *model, run_.data.set.classes);
  const auto optimizer = make_optimizer(run_.config, named_parameters(*model));
  Saved start;
  KeptModel(*model, *optimizer).save(start);
  for (const auto& [name, tensor] : given_) start.tensors["model." + name] = tensor;
  Tally(run_.context.steps_per_epoch).save(start);
  KeptGenerators(run_.plan.device).save(start);
  return start.tensors;
}

// Returns what is to be told, or nothing when the budget is what it was.
std::string Session::change_budget(Saved& saved) {
  const std::string asked = budget_text(run_.config),
                    stored = budget_text(read_run_config(run_.log.directory().path()));
  const BudgetState budget = saved.state.get<GlidePlace>().budget;
  TrainConfig before = run_.config;
  set_budget_text(before, budget.budget);
  if (same_budget(asked, stored) || same_budget(asked, budget.budget)) {
    run_.config = before;
    // Killed while it was being changed; a run that is left stays as it is.
    if (!same_budget(stored, budget.budget) && run_.options.resume_from.empty())
      run_.log.directory().rewrite_config(run_.config, told_changes(budget));
    return {};
  }
  if (scales_by_budget(run_.config)) {
    throw InputError(fmt::format(
        "--resume {}: its base_lr_scale or weight_decay_scale is for the budget {} that it has; for "
        "{} start a new run",
        run_.log.directory().path().string(), stored, asked));
  }
  const std::string told =
      run_.options.replan == Replan::kRewind ? rewind(saved, before) : re_anneal(saved.state, before);
  auto place = saved.state.get<GlidePlace>();
  place.budget.budget = asked;
  saved.state.put(place);
  saved.state.put(Loop::Kept());       // not trained to its end
  if (run_.rewinds_on_divergence()) {  // one that diverges does not go back to another budget
    auto rewinds = saved.state.get<Rewinds>();
    rewinds.step = place.step;
    saved.state.put(rewinds);
  }
  return told;
}

std::string Session::re_anneal(StateMap& state, const TrainConfig& before) const {
  auto place = state.get<GlidePlace>();
  const Schedule schedule = schedule_for(run_.config, run_.context, place.budget.schedule_updates);
  std::string told =
      glidepath::re_anneal(place.budget, budget_text(run_.config), run_budget(before, 0, 0),
                           run_budget(run_.config, place.seconds, run_.ranks.unix_seconds()),
                           {place.step, place.seconds, place.plateau.factor}, run_.context, schedule,
                           std::ldexp(run_.config.base_lr, -static_cast<int>(state.get<Rewinds>().count)));
  state.put(place);
  return told;
}

std::string Session::rewind(Saved& saved, const TrainConfig& before) {
  const std::string asked = budget_text(run_.config), was = budget_text(before);
  if (by_clock(before) || by_clock(run_.config)) {
    throw InputError(
        fmt::format("--replan rewind: {} and {} cannot be compared update by update, as a clock's "
                    "budget has no number of updates; use --replan re-anneal",
                    was, asked));
  }
  auto place = saved.state.get<GlidePlace>();
  const Budget budget = run_budget(run_.config, 0, 0);
  const std::int64_t updates = updates_in(budget, run_.context);
  const Schedule schedule = schedule_for(run_.config, run_.context, updates);
  const Schedule first = schedule_for(run_.config, run_.context, place.budget.schedule_updates);
  const std::int64_t shared = same_rates(place.budget, first, schedule, updates);
  std::vector<BudgetChange> changes = place.budget.changes;
  const std::int64_t step = place.step;
  if (step > shared) {
    saved = branch_or_start(shared);
    place = saved.state.get<GlidePlace>();
  }
  changes.push_back({step, was, asked, to_string(Replan::kRewind), place.step});
  place.budget = {asked, updates, {}, {}, std::move(changes)};
  saved.state.put(place);
  const auto rewinds = static_cast<int>(saved.state.get<Rewinds>().count);
  const double end_lr = std::ldexp(run_.config.base_lr, -rewinds) * schedule(1);
  return fmt::format("budget {} -> {}: both have the same rates for {} updates; {}, then {}", was, asked,
                     shared,
                     place.step == step ? fmt::format("nothing is lost at update {}", step)
                                        : fmt::format("back from update {} to {}", step, place.step),
                     rest_of_schedule(schedule.text(), end_lr, budget, updates - place.step, 0));
}

/// The state that was kept for longer budgets, where it is of update `latest` or before.
Saved Session::branch_or_start(std::int64_t latest) const {
  Saved branch;
  const auto kept = run_.log.directory().load_branch(branch.tensors);
  if (!kept || kept->get<GlidePlace>().step > latest) return {start_state(), {}};
  branch.state = *kept;
  return branch;
}

// Rank 0 has read the checkpoint, or made the first weights; the others need no file of its run.
void Session::share_state() {
  if (run_.ranks.size() == 1) return;  // nobody to share it with
  Saved saved = run_.log.content();
  drop_measures(saved.tensors);
  const nlohmann::json mine = {{"config", to_toml(run_.config)},
                               {"state", saved.state.text()},
                               {"seconds_before", run_.stopwatch.before()}};
  const auto first = parse_json(run_.ranks.from_first(json_text(mine)));
  saved.tensors = run_.ranks.from_first(saved.tensors);
  if (run_.ranks.is_first()) return;
  saved.state = StateMap::parse(first.at("state"));
  check_state(saved.state);
  run_.config = parse_train_config(first.at("config"), "rank 0's configuration");
  run_.stopwatch.set_before(first.at("seconds_before"));
  restore(saved);
}

// Rank 0 saves the last update that was made by all. Returns what is to be said of it, behind the cause.
std::string Session::saved_for_later() {
  const RunDirectory& directory = run_.log.directory();
  std::string kept;
  if (run_.ranks.is_first() && has_begun_ && directory.writes()) {
    updater_.undo();
    if (first_not_finite(*run_.model, run_.optimizer->state()).empty()) {
      const Saved saved = run_.log.content();
      run_.log.directory().save_checkpoint_somewhere(saved.tensors, saved.state);
    }
    kept = fmt::format("stopped at update {}; ", run_.glide.step());
  }
  const std::string folder = directory.writes() ? directory.path().string() : run_.options.out.string();
  return folder.empty()
             ? ""
             : fmt::format("; {}go on with: glidepath train --resume {}", kept, shell_word(folder));
}

}  // namespace glidepath
