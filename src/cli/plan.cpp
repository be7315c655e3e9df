// src/cli/plan.cpp - `glidepath plan`: how much budget buys how much.
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "data/sets/set_facts.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/results/budget_curves.h"

namespace glidepath::cli {
namespace {

// Farther than this no forecast says anything.
constexpr double kFarthest = 1000;

struct PlanArguments {
  std::string study, curve, schedule = "linear", target;
  std::vector<std::string> at;
  std::optional<double> chance;
  bool is_loss = false, json = false;
};

struct Target {
  double score = 0;
  std::optional<double> even, likely;  // budgets at which it is reached with these odds
};

/// A curve and what it foretells.
class CurvePlan {
 public:
  CurvePlan(std::string title, const BudgetCurve& curve, std::vector<std::string> notes,
            const PlanArguments& arguments)
      : title_(std::move(title)),
        curve_(curve),
        errors_(errors_of(curve)),
        notes_(std::move(notes)),
        forecast_(errors_.points, errors_.error_at_chance) {
    notes_.insert(notes_.end(), errors_.notes.begin(), errors_.notes.end());
    for (const double budget : budgets(arguments)) rows_.emplace_back(budget, forecast_.at(budget));
    if (arguments.target.empty()) return;
    Target target;
    target.score = target_of(arguments.target);
    const double most = kFarthest * largest();
    target.even = forecast_.budget_for(error(target.score), 0.5, most);
    target.likely = forecast_.budget_for(error(target.score), 0.9, most);
    target_ = target;
  }

  std::string text() const {
    std::string text = title_.empty() ? "" : terminal_text(title_) + "\n";
    text += "measured";
    for (const CurveScore& score : curve_.scores)
      text += fmt::format("  {} {}", budget_text(score.budget, curve_.unit), shown(score.score));
    text += "\n";
    for (const auto& [budget, interval] : rows_) {
      text += fmt::format("{} would reach {} (90 % interval: {} to {})\n", budget_text(budget, curve_.unit),
                          shown(score(interval.median)), shown(score(worse(interval))),
                          shown(score(better(interval))));
    }
    if (target_) {
      text += fmt::format("{}: {}; {}\n", shown(target_->score), odds(target_->even, "with even odds"),
                          odds(target_->likely, "with 90 % confidence"));
    }
    for (const std::string& note : notes_) text += terminal_text(note) + "\n";
    return text;
  }

  nlohmann::ordered_json json() const {
    nlohmann::ordered_json json = {
        {"title", as_utf8(title_)}, {"unit", curve_.unit}, {"loss", curve_.is_loss}};
    json["measured"] = nlohmann::ordered_json::array();
    for (const CurveScore& each : curve_.scores) {
      json["measured"].push_back({{"budget", each.budget}, {"score", each.score}, {"runs", each.runs}});
      if (each.stddev) json["measured"].back()["std"] = *each.stddev;
    }
    json["predictions"] = nlohmann::ordered_json::array();
    for (const auto& [budget, interval] : rows_) {
      json["predictions"].push_back({{"budget", budget},
                                     {"score", score(interval.median)},
                                     {"low", std::min(score(interval.low), score(interval.high))},
                                     {"high", std::max(score(interval.low), score(interval.high))}});
    }
    if (target_) {
      const auto budget = [](const std::optional<double>& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
      };
      json["target"] = {{"score", target_->score},
                        {"budget_50", budget(target_->even)},
                        {"budget_90", budget(target_->likely)}};
    }
    json["notes"] = notes_;
    return json;
  }

 private:
  double largest() const { return forecast_.points().back().budget; }
  double error(double score) const { return curve_.is_loss ? score : 100 - score; }
  double score(double error) const { return curve_.is_loss ? error : 100 - error; }
  static double worse(const ForecastInterval& interval) { return interval.high; }
  static double better(const ForecastInterval& interval) { return interval.low; }
  std::string shown(double score) const {
    return curve_.is_loss ? fmt::format("{:.4g}", score) : fmt::format("{:.2f} %", score);
  }
  std::string odds(const std::optional<double>& budget, const char* how) const {
    return budget ? fmt::format("{} by {}", how, budget_text(*budget, curve_.unit))
                  : fmt::format("not reached {} by {}", how, budget_text(kFarthest * largest(), curve_.unit));
  }

  /// In the curve's unit.
  double amount(const std::string& text) const {
    if (const auto plain = words::number(text); plain && *plain > 0) return *plain;
    const Budget budget = parse_budget(text);
    if (unit_of(budget) == curve_.unit) return budget.amount;
    throw InputError(
        fmt::format("--at \"{}\": the curve's budgets are {}; give one of that kind", text,
                    curve_.unit.empty() ? "plain numbers" : fmt::format("in \"{}\"", curve_.unit)));
  }

  std::vector<double> budgets(const PlanArguments& arguments) const {
    std::vector<double> list;
    for (const std::string& text : arguments.at) list.push_back(amount(text));
    if (!list.empty()) return list;
    for (const double times : {2.0, 4.0}) list.push_back(times * largest());
    if (curve_.unit == "%" && largest() < 100) list.push_back(100);
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }

  double target_of(const std::string& text) const {
    const bool is_percent = !text.empty() && text.back() == '%';
    const auto value = words::number(is_percent ? text.substr(0, text.size() - 1) : text);
    const bool is_good = value && *value > 0 && (curve_.is_loss ? !is_percent : *value < 100);
    if (!is_good) {
      throw InputError(fmt::format("--target \"{}\": must be {}", text,
                                   curve_.is_loss ? "a loss above 0" : "an accuracy in percent, as 90%"));
    }
    return *value;
  }

  std::string title_;
  BudgetCurve curve_;
  CurveErrors errors_;
  std::vector<std::string> notes_;
  Forecast forecast_;
  std::vector<std::pair<double, ForecastInterval>> rows_;
  std::optional<Target> target_;
};

CurvePlan plan_of_file(const PlanArguments& arguments) {
  const auto text = try_read_given_file(arguments.curve);
  if (!text)
    throw InputError(
        fmt::format("{}: cannot be read; give CSV with the columns budget and score", arguments.curve));
  const BudgetCurve curve = parse_budget_curve(*text, arguments.curve, {arguments.is_loss, arguments.chance});
  std::vector<std::string> notes;
  if (!arguments.is_loss && !arguments.chance)
    notes.push_back("taken as never right by chance; --chance 10 would say that guessing gets 10 % right");
  try {
    return {arguments.curve, curve, notes, arguments};
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.rfind("--", 0) == 0 ? message : fmt::format("{}: {}", arguments.curve, message));
  }
}

std::vector<CurvePlan> plans_of_study(const PlanArguments& arguments) {
  const StudyResults results = read_results(arguments.study);
  std::vector<CurvePlan> plans;
  for (StudyCurve& each : study_curves(results, arguments.schedule)) {
    const auto facts = results.runs.empty() ? std::nullopt : set_facts(each.data);
    if (arguments.chance) each.curve.chance = arguments.chance;
    if (!arguments.chance && facts && facts->classes > 0)
      each.curve.chance = 100.0 / static_cast<double>(facts->classes);
    try {
      plans.emplace_back(each.title, each.curve, each.notes, arguments);
    } catch (const InputError& error) {
      const std::string message = error.what();
      throw InputError(message.rfind("--", 0) == 0
                           ? message
                           : fmt::format("{}: {}: {}", arguments.study, each.title, message));
    }
  }
  return plans;
}

void run_plan(const PlanArguments& arguments) {
  if (arguments.study.empty() == arguments.curve.empty())
    throw InputError("give the folder of a study, or --curve FILE.csv with the columns budget and score");
  const std::vector<CurvePlan> plans =
      arguments.study.empty() ? std::vector<CurvePlan>{plan_of_file(arguments)} : plans_of_study(arguments);
  if (!arguments.json) {
    for (const CurvePlan& plan : plans) std::cout << plan.text() << (&plan == &plans.back() ? "" : "\n");
    return;
  }
  auto json = plans.size() == 1 ? plans.front().json()
                                : nlohmann::ordered_json{{"plans", nlohmann::ordered_json::array()}};
  for (const CurvePlan& plan : plans) {
    if (plans.size() > 1) json["plans"].push_back(plan.json());
  }
  std::cout << json_text(json) << "\n";
}

}  // namespace

void add_plan_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("plan", "Say what larger budgets would reach, from what smaller ones did");
  auto arguments = std::make_shared<PlanArguments>();
  auto* study = command->add_option("study", arguments->study, "folder of a study (its --out)");
  takes_path(study, "the --out of glidepath study");
  takes_path(
      command->add_option("--curve", arguments->curve,
                          "in place of a study: CSV with the columns budget and score, maybe std, n, seed"),
      "a file, for example runs.csv")
      ->excludes(study);
  command->add_option("--schedule", arguments->schedule, "whose runs of the study")->type_name("[linear]");
  command
      ->add_option("--at", arguments->at, "budgets to tell of: 50%,100% (default: 2 and 4 times the largest)")
      ->delimiter(',');
  command->add_option("--target", arguments->target, "tell which budget reaches this: 90%, or a loss");
  command
      ->add_option_function<double>(
          "--chance", [arguments](double percent) { arguments->chance = percent; },
          "percent that guessing gets right: 10 for ten classes")
      ->check(number_between(0, 99.9));
  command->add_flag("--loss", arguments->is_loss, "scores of --curve are losses: lower is better");
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments] { run_plan(*arguments); });
}

}  // namespace glidepath::cli
