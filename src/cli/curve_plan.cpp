// src/cli/curve_plan.cpp - a curve and what it foretells, as text and as JSON.
#include "cli/curve_plan.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "data/sets/set_facts.h"
#include "glidepath/error.h"

namespace glidepath::cli {
namespace {

// Farther than this no forecast says anything.
constexpr double kFarthest = 1000;

/// A number with its % or without.
std::optional<double> percent(const std::string& text) {
  const bool has_sign = !text.empty() && text.back() == '%';
  return words::number(has_sign ? text.substr(0, text.size() - 1) : text);
}

}  // namespace

std::optional<double> chance_of(const std::string& data) {
  const auto facts = set_facts(data);
  if (!facts || facts->classes == 0) return std::nullopt;
  return 100.0 / static_cast<double>(facts->classes);
}

CurvePlan::CurvePlan(PlannedCurve planned, const PlanQuestions& questions)
    : planned_(std::move(planned)),
      errors_(errors_of(planned_.curve)),
      forecast_(errors_.points, errors_.error_at_chance) {
  planned_.warnings.insert(planned_.warnings.end(), errors_.notes.begin(), errors_.notes.end());
  // Of a curve whose budgets are times these are the costs.
  if (planned_.curve.unit == "s") planned_.costs.of_unit.seconds = 1;
  if (!questions.full.empty()) planned_.full = amount("--full", questions.full);
  for (const double budget : budgets(questions.at)) rows_.emplace_back(budget, forecast_.at(budget));
  if (!questions.target.empty()) ask_target(questions.target);
  if (!questions.relative.empty()) ask_relative(questions.relative);
  if (!questions.price.empty()) ask_price(questions.price);
}

void CurvePlan::ask_target(const std::string& text) {
  const bool is_loss = planned_.curve.is_loss;
  const auto value = percent(text);
  const bool has_sign = text.back() == '%';
  const bool is_good = value && *value > 0 && (is_loss ? !has_sign : *value < 100);
  if (!is_good) {
    throw InputError(fmt::format("--target \"{}\": must be {}", text,
                                 is_loss ? "a loss above 0" : "an accuracy in percent, as 90%"));
  }
  const double most = kFarthest * largest();
  const double error = planned_.curve.error_of(*value);
  target_ = Target{*value, forecast_.budget_for(error, 0.5, most), forecast_.budget_for(error, 0.9, most)};
}

void CurvePlan::ask_relative(const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("--relative \"{}\": {}", text, why));
  };
  if (planned_.curve.is_loss) refuse("a share of a loss says nothing; give --target with a loss");
  const auto value = percent(text);
  if (!value || !(*value > 0 && *value < 100))
    refuse("must be a percentage below 100 of what the full budget reaches, as 95%");
  if (!planned_.full)
    refuse(fmt::format("what the full budget is, the curve does not say; give --full, as --full {}",
                       budget_text(4 * largest(), planned_.curve.unit)));
  relative_ = Relative{*value, forecast_.budgets_for_share(*value / 100, *planned_.full)};
}

void CurvePlan::ask_price(const std::string& text) {
  const std::string per_hour = "/h";
  const bool has_unit =
      text.size() > per_hour.size() && text.substr(text.size() - per_hour.size()) == per_hour;
  const auto value = has_unit ? words::number(text.substr(0, text.size() - per_hour.size())) : std::nullopt;
  if (!value || !(*value > 0))
    throw InputError(fmt::format("--price \"{}\": must be money for an hour, as 2.10/h", text));
  if (!(planned_.costs.of_unit.seconds > 0))
    throw InputError(
        fmt::format("--price \"{}\": how long budgets take, this curve does not say; give budgets in "
                    "time (30m, 2h), or a study",
                    text));
  constexpr double kHour = 3600;
  price_of_second_ = *value / kHour;
}

std::string CurvePlan::shown(double score) const {
  return planned_.curve.is_loss ? fmt::format("{:.4g}", score) : fmt::format("{:.2f} %", score);
}

/// "50% (100 epochs, 39100 updates, 2h30m, 5.25)": all that is known of a budget, but not twice.
std::string CurvePlan::told(double budget) const {
  const std::string& unit = planned_.curve.unit;
  const BudgetCosts costs = planned_.costs.of(budget);
  std::vector<std::string> parts;
  if (costs.epochs > 0 && unit != "ep") parts.push_back(fmt::format("{:.3g} epochs", costs.epochs));
  if (costs.updates > 0 && unit != "it") parts.push_back(fmt::format("{:.0f} updates", costs.updates));
  if (costs.seconds > 0 && unit != "s") parts.push_back(budget_text(costs.seconds, "s"));
  if (costs.flops > 0 && unit != "flop") parts.push_back(fmt::format("{:.3g} FLOPs", costs.flops));
  if (price_of_second_ > 0) parts.push_back(fmt::format("price {:.2f}", price_of_second_ * costs.seconds));
  const std::string text = budget_text(budget, unit);
  return parts.empty() ? text : fmt::format("{} ({})", text, fmt::join(parts, ", "));
}

std::string CurvePlan::odds_text(const std::optional<double>& budget, const char* how) const {
  return budget ? fmt::format("{} by {}", how, told(*budget))
                : fmt::format("not reached {} by {}", how,
                              budget_text(kFarthest * largest(), planned_.curve.unit));
}

std::string CurvePlan::text() const {
  const std::string& unit = planned_.curve.unit;
  std::string text = planned_.title.empty() ? "" : terminal_text(planned_.title) + "\n";
  text += "measured";
  for (const CurveScore& each : planned_.curve.scores)
    text += fmt::format("  {} {}", budget_text(each.budget, unit), shown(each.score));
  text += "\n";
  for (const auto& [budget, interval] : rows_) {
    text +=
        fmt::format("{} would reach {} (90 % interval: {} to {})\n", told(budget),
                    shown(score(interval.median)), shown(score(interval.high)), shown(score(interval.low)));
  }
  if (target_) {
    text += fmt::format("{}: {}; {}\n", shown(target_->score), odds_text(target_->even, "with even odds"),
                        odds_text(target_->likely, "with 90 % confidence"));
  }
  if (relative_) {
    text += fmt::format("{:g} % of what {} reaches: {}; {}\n", relative_->percent,
                        budget_text(*planned_.full, unit), odds_text(relative_->odds.even, "with even odds"),
                        odds_text(relative_->odds.likely, "with 90 % confidence"));
  }
  for (const std::string& warning : planned_.warnings) text += "warning: " + terminal_text(warning) + "\n";
  for (const std::string& note : planned_.notes) text += terminal_text(note) + "\n";
  return text;
}

nlohmann::ordered_json CurvePlan::costs_json(double budget) const {
  const BudgetCosts costs = planned_.costs.of(budget);
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (costs.epochs > 0) json["epochs"] = costs.epochs;
  if (costs.updates > 0) json["updates"] = costs.updates;
  if (costs.seconds > 0) json["seconds"] = costs.seconds;
  if (costs.flops > 0) json["flops"] = costs.flops;
  if (price_of_second_ > 0) json["price"] = price_of_second_ * costs.seconds;
  return json;
}

nlohmann::ordered_json CurvePlan::json() const {
  using Json = nlohmann::ordered_json;
  const BudgetCurve& curve = planned_.curve;
  Json json = {{"title", as_utf8(planned_.title)}, {"unit", curve.unit}, {"loss", curve.is_loss}};
  json["measured"] = Json::array();
  for (const CurveScore& each : curve.scores) {
    json["measured"].push_back({{"budget", each.budget}, {"score", each.score}, {"runs", each.runs}});
    if (each.stddev) json["measured"].back()["std"] = *each.stddev;
  }
  json["predictions"] = Json::array();
  for (const auto& [budget, interval] : rows_) {
    json["predictions"].push_back({{"budget", budget},
                                   {"score", score(interval.median)},
                                   {"low", std::min(score(interval.low), score(interval.high))},
                                   {"high", std::max(score(interval.low), score(interval.high))},
                                   {"cost", costs_json(budget)}});
  }
  const auto add_odds = [&](Json& to, const std::optional<double>& even,
                            const std::optional<double>& likely) {
    to["budget_50"] = even ? Json(*even) : Json();
    to["budget_90"] = likely ? Json(*likely) : Json();
    to["cost_50"] = even ? costs_json(*even) : Json();
    to["cost_90"] = likely ? costs_json(*likely) : Json();
  };
  if (target_) {
    json["target"] = {{"score", target_->score}};
    add_odds(json["target"], target_->even, target_->likely);
  }
  if (relative_) {
    json["relative"] = {{"percent", relative_->percent}, {"full", *planned_.full}};
    add_odds(json["relative"], relative_->odds.even, relative_->odds.likely);
  }
  json["warnings"] = planned_.warnings;
  json["notes"] = planned_.notes;
  return json;
}

/// In the curve's unit.
double CurvePlan::amount(const char* flag, const std::string& text) const {
  if (const auto plain = words::number(text); plain && *plain > 0) return *plain;
  const std::string& unit = planned_.curve.unit;
  try {
    const Budget budget = parse_budget(text);
    if (unit_of(budget) == unit) return budget.amount;
  } catch (const InputError& error) {
    throw InputError(fmt::format("{} {}", flag, error.what()));
  }
  throw InputError(fmt::format("{} \"{}\": the curve's budgets are {}; give one of that kind", flag, text,
                               unit.empty() ? "plain numbers" : fmt::format("in \"{}\"", unit)));
}

std::vector<double> CurvePlan::budgets(const std::vector<std::string>& at) const {
  std::vector<double> list;
  for (const std::string& text : at) list.push_back(amount("--at", text));
  if (!list.empty()) return list;
  for (const double times : {2.0, 4.0}) list.push_back(times * largest());
  if (planned_.full && largest() < *planned_.full) list.push_back(*planned_.full);
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace glidepath::cli
