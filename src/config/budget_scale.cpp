// src/config/budget_scale.cpp - base_lr and weight_decay for a budget that is not the full one.
#include "config/budget_scale.h"

#include <cmath>

#include <fmt/format.h>

#include "config/by_name_text.h"
#include "config/config_entry.h"
#include "core/words.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

BudgetScale base_lr_scale(const TrainConfig& config) {
  return BudgetScale::parse(config.base_lr_scale, false);
}
BudgetScale weight_decay_scale(const TrainConfig& config) {
  return BudgetScale::parse(config.weight_decay_scale, true);
}

/// base_lr * weight_decay * share is the same at every share with timescale.
double factor(const BudgetScale& scale, double share, double lr_factor) {
  switch (scale.kind) {
    case BudgetScale::Kind::kPower:
      return std::pow(share, scale.exponent);
    case BudgetScale::Kind::kTimescale:
      return 1 / (share * lr_factor);
    case BudgetScale::Kind::kOff:
      break;
  }
  return 1;
}

struct Factors {
  double share, base_lr, weight_decay;
};

Factors factors_of(const TrainConfig& config, std::int64_t steps_per_epoch) {
  const double share = share_of_full_budget(config, steps_per_epoch);
  const double base_lr = factor(base_lr_scale(config), share, 1);
  return {share, base_lr, factor(weight_decay_scale(config), share, base_lr)};
}

bool is_counted(const Budget& budget) {
  return budget.unit == BudgetUnit::kIterations || budget.unit == BudgetUnit::kEpochs;
}

std::string multiplied(const std::string& by_name, double by) {
  std::string text;
  for (const auto& [pattern, value] : parse_numbers_by_name(by_name))
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", pattern, value * by);
  return text;
}

}  // namespace

BudgetScale BudgetScale::parse(const std::string& text, bool may_be_timescale) {
  constexpr double kMost = 2;
  const std::string power = "budget^";
  BudgetScale scale;
  scale.canonical = text;
  if (text == "off") return scale;
  if (may_be_timescale && text == "timescale") {
    scale.kind = Kind::kTimescale;
    return scale;
  }
  const auto exponent =
      text.compare(0, power.size(), power) == 0 ? words::number(text.substr(power.size())) : std::nullopt;
  if (!exponent || !(std::abs(*exponent) <= kMost)) {
    refuse_value(text, fmt::format("must be off, {}budget^E with E in [-{}, {}], for example {}",
                                   may_be_timescale ? "timescale or " : "or ", kMost, kMost,
                                   may_be_timescale ? "budget^-1" : "budget^-0.32"));
  }
  scale.exponent = *exponent;
  if (scale.exponent == 0) {
    scale.canonical = "off";
    return scale;
  }
  scale.kind = Kind::kPower;
  scale.canonical = power + words::number_text(scale.exponent);
  return scale;
}

bool scales_by_budget(const TrainConfig& config) {
  return base_lr_scale(config).kind != BudgetScale::Kind::kOff ||
         weight_decay_scale(config).kind != BudgetScale::Kind::kOff;
}

void check_budget_scales(const TrainConfig& config) {
  if (!scales_by_budget(config)) return;
  const bool is_lr = base_lr_scale(config).kind != BudgetScale::Kind::kOff;
  const std::string given = fmt::format("{} \"{}\"", is_lr ? "base_lr_scale" : "weight_decay_scale",
                                        is_lr ? config.base_lr_scale : config.weight_decay_scale);
  if (!config.deadline.empty()) {
    throw InputError(
        fmt::format("{}: how much a deadline leaves is not known beforehand; give a --budget", given));
  }
  const Budget budget = parse_budget(config.budget), full = parse_budget(config.full);
  if (budget.unit == BudgetUnit::kPercent || budget.unit == full.unit) return;
  if (is_counted(budget) && is_counted(full)) return;
  throw InputError(fmt::format(
      "{}: which share of the full budget {} the budget {} is cannot be told; give both in one unit, or the "
      "budget in percent",
      given, config.full, config.budget));
}

double share_of_full_budget(const TrainConfig& config, std::int64_t steps_per_epoch) {
  constexpr double kPercent = 100;
  const Budget budget = parse_budget(config.budget), full = parse_budget(config.full);
  if (budget.unit == BudgetUnit::kPercent) return budget.amount / kPercent;
  const double share = budget.amount / full.amount;
  if (budget.unit == full.unit) return share;
  const auto steps = static_cast<double>(steps_per_epoch);
  return budget.unit == BudgetUnit::kEpochs ? share * steps : share / steps;
}

TrainConfig at_its_budget(TrainConfig config, std::int64_t steps_per_epoch) {
  if (!scales_by_budget(config)) return config;
  const Factors factors = factors_of(config, steps_per_epoch);
  config.base_lr *= factors.base_lr;
  config.weight_decay *= factors.weight_decay;
  config.weight_decay_of = multiplied(config.weight_decay_of, factors.weight_decay);
  return config;
}

std::string told_budget_scales(const TrainConfig& config, std::int64_t steps_per_epoch) {
  if (!scales_by_budget(config)) return {};
  const Factors factors = factors_of(config, steps_per_epoch);
  const TrainConfig scaled = at_its_budget(config, steps_per_epoch);
  std::string told;
  const auto tell = [&](const char* key, const std::string& text, double before, double by, double after) {
    if (text == "off") return;
    told += fmt::format("{}{} is {:.4g} * {:.4g} = {:.4g} ({})", told.empty() ? "" : ", ", key, before, by,
                        after, text);
  };
  tell("base_lr", config.base_lr_scale, config.base_lr, factors.base_lr, scaled.base_lr);
  tell("weight_decay", config.weight_decay_scale, config.weight_decay, factors.weight_decay,
       scaled.weight_decay);
  return fmt::format("at {:.4g} % of the full budget {}", 100 * factors.share, told);
}

}  // namespace glidepath
