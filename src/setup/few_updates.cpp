// src/setup/few_updates.cpp - advice where a budget buys too few updates.
#include "setup/few_updates.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "budget/change.h"
#include "glidepath/budget.h"

namespace glidepath {
namespace {

constexpr std::int64_t kFew = 100;  // below which networks of every size have hardly learned
constexpr double kEnough = 150;     // what advice aims at
constexpr std::int64_t kSmallestBatch = 8;
constexpr double kSmallestWidth = 0.125;

/// Nothing for a deadline, which is a clock's too.
std::optional<BudgetUnit> unit_of(const TrainConfig& config) {
  if (!config.deadline.empty() || config.budget == "slurm" || is_deadline(config.budget)) return std::nullopt;
  const BudgetUnit unit = parse_budget(config.budget).unit;
  return unit == BudgetUnit::kPercent ? parse_budget(config.full).unit : unit;
}

}  // namespace

std::string few_updates_advice(const TrainConfig& config, std::int64_t updates) {
  const std::optional<BudgetUnit> unit = unit_of(config);
  if (updates >= kFew || updates < 1 || unit == BudgetUnit::kIterations) return {};
  const bool by_clock = !unit || *unit == BudgetUnit::kSeconds;
  const double times = kEnough / static_cast<double>(updates);
  std::string ways;
  const auto add = [&](const std::string& flag, double factor) {
    ways += fmt::format("{}{} would make about {:.0f}", ways.empty() ? "" : ", ", flag,
                        static_cast<double>(updates) * factor);
  };
  const double batch = std::exp2(std::floor(std::log2(static_cast<double>(config.batch_size) / times)));
  if (batch >= static_cast<double>(kSmallestBatch))
    add(fmt::format("--batch-size {:.0f}", batch), static_cast<double>(config.batch_size) / batch);
  if (by_clock) {  // an update's cost is about the square of the width
    const double width = config.width * std::exp2(-std::ceil(std::log2(times) / 2));
    if (width >= kSmallestWidth) add(fmt::format("--width {:g}", width), std::pow(config.width / width, 2));
  }
  return fmt::format("the budget {} buys {} update{}, which is too few to learn much: {}", config.budget,
                     updates, updates == 1 ? "" : "s", ways.empty() ? "give a larger one" : ways);
}

}  // namespace glidepath
