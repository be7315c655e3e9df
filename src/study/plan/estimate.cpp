// src/study/plan/estimate.cpp - how much work a run is, before and after the first runs have been timed.
#include "study/plan/estimate.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <tuple>

#include "core/data_names.h"
#include "data/images/open_images.h"
#include "glidepath/budget.h"
#include "study/plan/own_size.h"

namespace glidepath {
namespace {

constexpr std::int64_t kGuess = 50'000;  // images, where nothing better is known

/// Images at a path are counted once: a study may have 100,000 runs, and a folder a million files. What
/// cannot be opened is left to the runs to complain of.
std::int64_t stored_images(const TrainConfig& config) {
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::string, std::string, std::int64_t>, std::int64_t> counts;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto [entry, is_new] =
      counts.emplace(std::tuple(config.data, config.data_dir, config.split, config.context), kGuess);
  if (is_new && is_own_path(config.data)) {
    entry->second = count_own_examples(config).value_or(kGuess);
  } else if (is_new) {
    try {
      entry->second =
          count_training_images(images_path(config.data, config.data_dir), {config.split, config.test_on});
    } catch (const std::exception&) {
    }
  }
  return entry->second;
}

std::int64_t training_images(const TrainConfig& config) {
  static const std::map<std::string, std::int64_t> kSizes = {{"cifar10", 50'000},
                                                             {"cifar100", 50'000},
                                                             {"mnist", 60'000},
                                                             {"fashion-mnist", 60'000},
                                                             {"digits", 1'500}};
  const auto known = kSizes.find(config.data);
  const std::int64_t all = known != kSizes.end()                                     ? known->second
                           : is_images_path(config.data) || is_own_path(config.data) ? stored_images(config)
                                                                                     : kGuess;
  const auto part = static_cast<std::int64_t>(config.train_fraction * static_cast<double>(all));
  return config.train_limit > 0 ? std::min(part, config.train_limit) : part;
}

std::string group_of(const TrainConfig& config) {
  std::string group;
  for (const ConfigKey& key : train_config_keys()) {
    if (key.name == "schedule" || key.name == "budget" || key.name == "seed") continue;
    group += config_value(config, key.name) + '\n';
  }
  return group;
}

}  // namespace

double images_to_train(const TrainConfig& config) {
  constexpr double kImagesPerSecond = 1'000, kFlopsPerImage = 1e8;  // a small network on one core
  const Budget full = parse_budget(config.full), budget = resolve_percent(parse_budget(config.budget), full);
  if (budget.unit == BudgetUnit::kSeconds) return budget.amount * kImagesPerSecond;
  if (budget.unit == BudgetUnit::kFlops) return budget.amount / kFlopsPerImage;
  if (budget.unit == BudgetUnit::kTokens) return budget.amount / static_cast<double>(config.context);
  if (budget.unit == BudgetUnit::kIterations) return budget.amount * static_cast<double>(config.batch_size);
  const std::int64_t steps_per_epoch = (training_images(config) + config.batch_size - 1) / config.batch_size;
  const BudgetContext context{steps_per_epoch, full};
  return static_cast<double>(updates_in(budget, context)) * static_cast<double>(config.batch_size);
}

void TimeEstimate::add(const TrainConfig& config, double seconds, double seconds_of_updates) {
  const double images = images_to_train(config);
  for (const std::string& group : {group_of(config), std::string()}) {  // "" is the group of everything
    Sums& sums = groups_[group];
    sums.runs += 1;
    sums.images += images;
    sums.seconds += seconds;
    sums.seconds_of_updates += seconds_of_updates;
    sums.images_squared += images * images;
    sums.images_seconds += images * seconds;
  }
}

void TimeEstimate::add(const RunRecord& run) {
  if (run.status != RunStatus::kDone || !(run.seconds > 0)) return;
  const double training = images_to_train(run.config) / run.images_per_second;
  const bool is_known = run.images_per_second > 0 && training < run.seconds;
  add(run.config, run.seconds, is_known ? training : run.seconds);
}

double TimeEstimate::Sums::at(double wanted) const {
  const double spread = runs * images_squared - images * images;
  double rate = seconds_of_updates / images;
  double start = (seconds - seconds_of_updates) / runs;
  if (spread > 1e-9 * images_squared * runs) {
    const double slope = (runs * images_seconds - images * seconds) / spread;
    const double intercept = (seconds - slope * images) / runs;
    if (slope > 0 && intercept >= 0) {
      rate = slope;
      start = intercept;
    }
  }
  return start + rate * wanted;
}

double TimeEstimate::seconds(const TrainConfig& config) const {
  auto group = groups_.find(group_of(config));
  if (group == groups_.end()) group = groups_.find("");
  return group == groups_.end() ? 0 : group->second.at(images_to_train(config));
}

}  // namespace glidepath
