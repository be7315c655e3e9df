// src/study/results/budget_curves.cpp - a study's results as budget curves.
#include "study/results/budget_curves.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "glidepath/error.h"
#include "glidepath/statistics.h"
#include "glidepath/table.h"

namespace glidepath {
namespace {

std::size_t row_of(const StudyTable& table, const std::string& schedule) {
  if (table.rows.size() == 1) return 0;
  const auto found = std::find(table.rows.begin(), table.rows.end(), schedule);
  if (found != table.rows.end()) return static_cast<std::size_t>(found - table.rows.begin());
  throw InputError(fmt::format("schedule \"{}\": is no row of the study; it has {}", terminal_text(schedule),
                               terminal_text(fmt::format("{}", fmt::join(table.rows, ", ")))));
}

/// The finished runs of a row, those of a budget together.
struct BudgetRuns {
  double budget = 0;
  std::vector<const RunRecord*> runs;
};

double mean_of(const std::vector<const RunRecord*>& runs,
               const std::function<double(const RunRecord&)>& value) {
  std::vector<double> values;
  for (const RunRecord* run : runs) values.push_back(value(*run));
  return mean(values);
}

/// Least squares of seconds = start + rate * budget; through zero where a line would start below it.
void fit_seconds(const std::vector<BudgetRuns>& budgets, CostLaw& costs) {
  std::vector<double> x, y;
  for (const BudgetRuns& each : budgets) {
    for (const RunRecord* run : each.runs) {
      if (!(run->seconds > 0)) continue;
      x.push_back(each.budget);
      y.push_back(run->seconds);
    }
  }
  if (x.empty()) return;
  double products = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    products += (x[i] - mean(x)) * (y[i] - mean(y));
    squares += (x[i] - mean(x)) * (x[i] - mean(x));
  }
  costs.of_unit.seconds = squares > 0 ? products / squares : 0;
  costs.start_seconds = mean(y) - costs.of_unit.seconds * mean(x);
  if (squares > 0 && costs.of_unit.seconds > 0 && costs.start_seconds >= 0) return;
  costs.start_seconds = 0;
  costs.of_unit.seconds = mean(y) / mean(x);
}

CostLaw costs_of(const std::vector<BudgetRuns>& budgets, const std::string& unit, const Budget& full) {
  CostLaw costs;
  const BudgetRuns& largest = budgets.back();
  const auto rate = [&](double RunRecord::*value) {
    return mean_of(largest.runs, [&](const RunRecord& run) { return run.*value; }) / largest.budget;
  };
  costs.of_unit.epochs = rate(&RunRecord::epochs);
  costs.of_unit.updates =
      mean_of(largest.runs, [](const RunRecord& run) { return static_cast<double>(run.updates); }) /
      largest.budget;
  if (!(costs.of_unit.epochs > 0)) costs.of_unit.epochs = 0;
  if (unit == "flop") costs.of_unit.flops = 1;
  if (unit == "%" && full.unit == BudgetUnit::kFlops) costs.of_unit.flops = full.amount / 100;
  if (unit == "s") {
    costs.of_unit.seconds = 1;
  } else {
    fit_seconds(budgets, costs);
  }
  return costs;
}

/// What would make forecasts of these runs wrong.
std::vector<std::string> warnings_of(const std::vector<BudgetRuns>& budgets) {
  std::vector<std::string> warnings;
  const RunRecord& any = *budgets.front().runs.front();
  const std::string& schedule = any.config.schedule;
  if (schedule.rfind("const", 0) == 0)
    warnings.emplace_back(
        "const does not anneal: forecasts were made for schedules that land with the budget");
  if (schedule.rfind("cut(", 0) == 0 || schedule.rfind("plateau", 0) == 0)
    warnings.push_back(fmt::format(
        "{} does not go by the budget: forecasts were made for schedules that land with it", schedule));
  const auto gap = [](const BudgetRuns& each) {
    return 100 * mean_of(each.runs, [](const RunRecord& r) { return r.train_accuracy - r.test_accuracy; });
  };
  constexpr double kWideGap = 5;  // points
  if (budgets.size() > 1 && gap(budgets.back()) > kWideGap && gap(budgets.back()) > gap(*(budgets.end() - 2)))
    warnings.push_back(fmt::format(
        "at the largest budget {:.1f} points more of the training images are right than of the test's, "
        "and the gap grows: forecasts of such curves were too high",
        gap(budgets.back())));
  constexpr double kFewUpdates = 20;
  const double updates =
      mean_of(budgets.front().runs, [](const RunRecord& r) { return static_cast<double>(r.updates); });
  if (updates > 0 && updates < kFewUpdates)
    warnings.push_back(fmt::format(
        "the smallest budget buys {:.0f} updates: forecasts from so few were off by 10 points and more",
        updates));
  return warnings;
}

}  // namespace

StudyCurve study_curve(const StudyResults& results, const StudyTable& table, std::size_t row,
                       const ChanceOf& chance) {
  StudyCurve made;
  const bool is_named = table.row_axis.empty() || table.row_axis == "schedule";
  made.title = is_named ? table.row_labels[row] : table.row_axis + " " + table.row_labels[row];
  if (!table.caption.empty()) made.title += ", " + table.caption;
  made.data = results.runs.front().config.data;
  made.curve.chance = 0;
  std::size_t missing = 0, diverged = 0;
  std::vector<BudgetRuns> budgets;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const TableCell& cell = table.cells[row][column];
    missing += cell.planned - cell.values.size() - cell.losses.size() - cell.diverged;
    diverged += cell.diverged;
    if (cell.values.empty() && cell.losses.empty()) continue;
    const Budget budget = parse_budget(table.columns[column]);
    if (made.curve.scores.empty()) {
      made.curve.unit = unit_of(budget);
      made.curve.is_loss = cell.values.empty() || !table.higher_is_better;
      if (made.curve.is_loss) made.curve.chance.reset();
      made.score = cell.values.empty() ? "loss" : score_title(results) + (table.is_share ? " (%)" : "");
    }
    if (made.curve.unit != unit_of(budget))
      throw InputError(fmt::format("budgets in \"{}\" and in \"{}\" ({}); a curve has one unit",
                                   made.curve.unit, unit_of(budget), table.columns[column]));
    const std::vector<double>& values =
        made.curve.is_loss && table.higher_is_better ? cell.losses : cell.values;
    if (values.empty())
      throw InputError(fmt::format("{}: has runs with and without an accuracy", made.title));
    CurveScore score{budget.amount, mean(values), std::nullopt, static_cast<std::int64_t>(values.size())};
    if (values.size() > 1) score.stddev = sample_stddev(values);
    made.curve.scores.push_back(score);
    budgets.push_back({budget.amount, {}});
    for (const std::size_t place : cell.finished) budgets.back().runs.push_back(&results.runs[place]);
  }
  std::sort(budgets.begin(), budgets.end(),
            [](const BudgetRuns& a, const BudgetRuns& b) { return a.budget < b.budget; });
  std::sort(made.curve.scores.begin(), made.curve.scores.end(),
            [](const CurveScore& a, const CurveScore& b) { return a.budget < b.budget; });
  if (missing > 0)
    made.notes.push_back(fmt::format("{} runs are not in yet, or failed; this is of the others", missing));
  if (diverged > 0)
    made.notes.push_back(
        fmt::format("{} runs diverged and are left out: the forecast is of those that do not", diverged));
  if (budgets.empty()) return made;
  const RunRecord& any = *budgets.front().runs.front();
  made.data = any.config.data;
  if (const auto guessed = chance && !made.curve.is_loss ? chance(made.data) : std::nullopt)
    made.curve.chance = guessed;
  const Budget full = parse_budget(any.config.full);
  made.full = made.curve.unit == "%"             ? std::optional<double>(100)
              : unit_of(full) == made.curve.unit ? std::optional<double>(full.amount)
                                                 : std::nullopt;
  made.costs = costs_of(budgets, made.curve.unit, full);
  for (const std::string& warning : warnings_of(budgets)) made.notes.push_back(warning);
  return made;
}

BudgetCosts CostLaw::of(double budget) const {
  return {of_unit.epochs * budget, of_unit.updates * budget,
          of_unit.seconds > 0 ? start_seconds + of_unit.seconds * budget : 0, of_unit.flops * budget};
}

std::vector<StudyCurve> study_curves(const StudyResults& results, const std::string& schedule,
                                     const ChanceOf& chance) {
  if (std::find(results.axes.begin(), results.axes.end(), "budget") == results.axes.end())
    throw InputError(fmt::format("study {}: its runs have one budget; a plan takes three and more",
                                 terminal_text(results.name)));
  TableOptions options = results.table;
  options.columns = "budget";
  if (options.rows == "budget") options.rows.clear();
  std::vector<StudyCurve> curves;
  for (const StudyTable& table : make_tables(results, options)) {
    if (table.row_axis == "schedule" || table.rows.size() == 1) {
      curves.push_back(study_curve(results, table, row_of(table, schedule), chance));
      continue;
    }
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      curves.push_back(study_curve(results, table, row, chance));
  }
  return curves;
}

}  // namespace glidepath
