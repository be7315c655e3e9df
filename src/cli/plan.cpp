// src/cli/plan.cpp - `glidepath plan`: how much budget buys how much.
#include "cli/plan.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/curve_plan.h"
#include "cli/terminal/message.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "glidepath/study.h"
#include "study/results/budget_curves.h"

namespace glidepath::cli {
namespace {

struct PlanArguments {
  std::string study, curve, schedule = "linear";
  PlanQuestions questions;
  std::optional<double> chance;
  bool is_loss = false, json = false;
};

/// Errors of a flag are told as they are, those of a curve with where it comes from.
CurvePlan made_plan(PlannedCurve planned, const PlanQuestions& questions, const std::string& place) {
  try {
    return CurvePlan(std::move(planned), questions);
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.rfind("--", 0) == 0 ? message : fmt::format("{}: {}", place, message));
  }
}

CurvePlan plan_of_file(const PlanArguments& arguments) {
  const auto text = try_read_given_file(arguments.curve);
  if (!text)
    throw InputError(
        fmt::format("{}: cannot be read; give CSV with the columns budget and score", arguments.curve));
  PlannedCurve planned;
  planned.title = arguments.curve;
  planned.curve = parse_budget_curve(*text, arguments.curve, {arguments.is_loss, arguments.chance});
  if (planned.curve.unit == "%") planned.full = 100;
  if (!arguments.is_loss && !arguments.chance)
    planned.notes.emplace_back(
        "taken as never right by chance; --chance 10 would say that guessing gets 10 % right");
  return made_plan(std::move(planned), arguments.questions, arguments.curve);
}

bool knows_times(const StudyCurve& curve) {
  return curve.curve.unit == "s" || curve.costs.of_unit.seconds > 0;
}

/// Of several curves those without a forecast are told and left out.
std::vector<CurvePlan> plans_of_study(const PlanArguments& arguments) {
  std::vector<CurvePlan> plans;
  std::vector<std::string> refusals;
  const auto chance = [&](const std::string& data) {
    return arguments.chance ? arguments.chance : chance_of(data);
  };
  const std::vector<StudyCurve> curves =
      study_curves(read_results(arguments.study), arguments.schedule, chance);
  const bool has_times = std::any_of(curves.begin(), curves.end(), knows_times);
  for (const StudyCurve& each : curves) {
    const std::string place = fmt::format("{}: {}", arguments.study, each.title);
    PlannedCurve planned{each.title, each.curve, each.full, each.costs, each.notes, {}};
    if (each.curve.unit != "s" && each.costs.of_unit.seconds > 0)
      planned.notes.emplace_back("times are of whole runs, as this study's runs took them");
    PlanQuestions questions = arguments.questions;
    if (!questions.price.empty() && has_times && !knows_times(each)) {
      questions.price.clear();
      planned.warnings.emplace_back("how long budgets take, these runs do not say, so there is no price");
    }
    try {
      plans.push_back(made_plan(std::move(planned), questions, place));
    } catch (const InputError& error) {
      refusals.emplace_back(error.what());
      if (refusals.back().rfind("--", 0) == 0) throw;
    }
  }
  if (plans.empty())
    throw InputError(refusals.empty() ? arguments.study + ": has no runs" : refusals.front());
  for (const std::string& refusal : refusals) print_error("glidepath plan", "left out: " + refusal);
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

void print_plan_of_study(const std::string& study, bool json) {
  PlanArguments arguments;
  arguments.study = study;
  arguments.json = json;
  run_plan(arguments);
}

void add_plan_command(CLI::App& app, int&) {
  auto* command =
      app.add_subcommand("plan", "Say what larger budgets would reach, from what smaller ones did");
  auto arguments = std::make_shared<PlanArguments>();
  PlanQuestions& questions = arguments->questions;
  auto* study = command->add_option("study", arguments->study, "folder of a study (its --out)");
  takes_path(study, "the --out of glidepath study");
  takes_path(
      command->add_option("--curve", arguments->curve,
                          "in place of a study: CSV with the columns budget and score, maybe std, n, seed"),
      "a file, for example runs.csv")
      ->excludes(study);
  command->add_option("--schedule", arguments->schedule, "whose runs of the study")->type_name("[linear]");
  command
      ->add_option("--at", questions.at, "budgets to tell of: 50%,100% (default: 2 and 4 times the largest)")
      ->delimiter(',');
  command->add_option("--target", questions.target, "tell which budget reaches this: 90%, or a loss");
  command->add_option("--relative", questions.relative,
                      "tell which budget reaches this share of what the full one does: 95%");
  command->add_option("--full", questions.full,
                      "the full budget, where it is not 100 % or the study's: 90ep");
  command->add_option("--price", questions.price, "money for an hour, told beside each budget: 2.10/h");
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
