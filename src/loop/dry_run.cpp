// src/loop/dry_run.cpp - what a run would do and cost.
#include "glidepath/dry_run.h"

#include <algorithm>
#include <cmath>

#include "budget/deadline.h"
#include "loop/trainer.h"

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

DryRun Trainer::estimate() {
  measure_evaluation();  // warms the caches up
  measure_evaluation();
  estimate_measuring();
  const double ready = seconds_spent();
  std::vector<double> seconds;
  meter_.tick(ready);
  while (!meter_.finished() && meter_.step() < kMostUpdates) {
    const double begun = now();
    try {
      update();
      require_finite_loss();
    } catch (const Diverged& divergence) {
      give_up(divergence);
    }
    seconds.push_back(now() - begun);
    report_status(true);
    meter_.tick(seconds_spent());
    if (meter_.step() > kWarmUpdates && seconds_spent() - ready > kLongestSeconds) break;
  }
  DryRun dry;
  dry.measured_updates = meter_.step();
  dry.update_seconds = median_after_warming_up(seconds) * mean_cost();
  dry.evaluation_seconds = agenda_.evaluation_seconds();
  dry.steps_per_epoch = context_.steps_per_epoch;
  const double every = static_cast<double>(agenda_.evaluations().every_updates());
  if (meter_.by_clock()) {
    const double training =
        meter_.clock().allowed() - ready - meter_.clock().kept_back() -
        (every > 0 ? 0 : agenda_.evaluations().moments_between(0)) * agenda_.evaluation_seconds();
    const double cost = dry.update_seconds + (every > 0 ? agenda_.evaluation_seconds() / every : 0);
    dry.updates = std::max<std::int64_t>(1, static_cast<std::int64_t>(training / cost));
    const double trained = training - agenda_.measuring_seconds_of(dry.updates);
    dry.updates = std::max<std::int64_t>(1, static_cast<std::int64_t>(trained / cost));
    dry.seconds = meter_.clock().allowed();
  } else {
    dry.updates = meter_.updates();
    const double evaluations = agenda_.evaluations().moments_between(static_cast<double>(dry.updates));
    dry.seconds = ready + static_cast<double>(dry.updates) * dry.update_seconds +
                  evaluations * agenda_.evaluation_seconds() + agenda_.ending_seconds() +
                  agenda_.measuring_seconds_of(dry.updates);
  }
  dry.epochs = static_cast<double>(dry.updates) / static_cast<double>(dry.steps_per_epoch);
  dry.ends_at = deadline_text(unix_seconds() + dry.seconds);
  dry.flops = flops_of_run(dry.updates);
  dry.peak_memory_mib = peak_memory_mib();
  if (!schedule_.plateau()) {
    for (const double progress : {0.0, 0.25, 0.5, 0.75, 1.0})
      dry.learning_rates.push_back(config_.base_lr * schedule_(progress));
  }
  return dry;
}

}  // namespace glidepath
