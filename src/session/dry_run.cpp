// src/session/dry_run.cpp - what a run would do and cost.
#include "glidepath/dry_run.h"

#include <algorithm>
#include <cmath>

#include "budget/deadline.h"
#include "config/budget_scale.h"
#include "session/session.h"
#include "setup/few_updates.h"

namespace glidepath {
namespace {

constexpr std::int64_t kMostUpdates = 10;
constexpr std::int64_t kWarmUpdates = 2;  // left out of the rate where there are more
constexpr double kLongestSeconds = 5;

double median_after_warming_up(std::vector<double> seconds) {
  const std::size_t skip = std::min<std::size_t>(kWarmUpdates, seconds.size() - 1);
  seconds.erase(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(skip));
  std::sort(seconds.begin(), seconds.end());
  return seconds[(seconds.size() - 1) / 2];
}

}  // namespace

DryRun Session::estimate() {
  const EndingCost& ending = callbacks_.ending;
  const Cadence& evaluations = callbacks_.evaluator.cadence();
  callbacks_.tester.time();  // warms the caches up
  callbacks_.tester.time();
  callbacks_.measures.estimate();
  const double ready = run_.seconds_spent();
  std::vector<double> seconds;
  run_.glide.tick(ready);
  while (!run_.glide.done() && run_.glide.step() < kMostUpdates) {
    const double begun = run_.ranks.now();
    try {
      loop_.update();
      callbacks_.recorder.require_finite_loss();
    } catch (const Diverged& divergence) {
      give_up(divergence);
    }
    seconds.push_back(run_.ranks.now() - begun);
    callbacks_.status.tell();
    run_.glide.tick(run_.seconds_spent());
    if (run_.glide.step() > kWarmUpdates && run_.seconds_spent() - ready > kLongestSeconds) break;
  }
  DryRun dry;
  dry.measured_updates = run_.glide.step();
  dry.update_seconds = median_after_warming_up(seconds) * run_.sizes.mean_cost();
  dry.evaluation_seconds = ending.evaluation();
  dry.steps_per_epoch = run_.context.steps_per_epoch;
  const double every = static_cast<double>(evaluations.every_updates());
  if (run_.glide.by_clock()) {
    const double training = run_.glide.seconds_allowed() - ready - run_.glide.seconds_kept_back() -
                            (every > 0 ? 0 : evaluations.moments_between(0)) * ending.evaluation();
    const double cost = dry.update_seconds + (every > 0 ? ending.evaluation() / every : 0);
    dry.updates = std::max<std::int64_t>(1, static_cast<std::int64_t>(training / cost));
    const double trained = training - callbacks_.measures.seconds_of(dry.updates);
    dry.updates = std::max<std::int64_t>(1, static_cast<std::int64_t>(trained / cost));
    dry.seconds = run_.glide.seconds_allowed();
  } else {
    dry.updates = run_.glide.updates();
    dry.seconds = ready + static_cast<double>(dry.updates) * dry.update_seconds +
                  evaluations.moments_between(static_cast<double>(dry.updates)) * ending.evaluation() +
                  ending.ending() + callbacks_.measures.seconds_of(dry.updates);
  }
  dry.epochs = static_cast<double>(dry.updates) / static_cast<double>(dry.steps_per_epoch);
  dry.ends_at = deadline_text(run_.ranks.unix_seconds() + dry.seconds);
  dry.flops = run_.sizes.flops_of_run(dry.updates, run_.context, run_.feed.loader());
  dry.peak_memory_mib = peak_memory_mib();
  if (!run_.glide.schedule().plateau()) {
    for (const double progress : {0.0, 0.25, 0.5, 0.75, 1.0})
      dry.learning_rates.push_back(run_.glide.base_lr() * run_.glide.schedule()(progress));
  }
  const TrainConfig scaled = at_its_budget(run_.config, run_.context.steps_per_epoch);
  dry.base_lr = scaled.base_lr;
  dry.weight_decay = scaled.weight_decay;
  dry.advice = few_updates_advice(run_.config, dry.updates);
  return dry;
}

}  // namespace glidepath
