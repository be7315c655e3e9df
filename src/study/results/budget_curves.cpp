// src/study/results/budget_curves.cpp - a study's results as budget curves.
#include "study/results/budget_curves.h"

#include <algorithm>
#include <cmath>

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

StudyCurve curve_of(const StudyResults& results, const StudyTable& table, std::size_t row) {
  StudyCurve made;
  made.title = table.row_labels[row];
  if (!table.caption.empty()) made.title += ", " + table.caption;
  made.data = results.runs.front().config.data;
  made.curve.chance = 0;
  std::size_t missing = 0, diverged = 0;
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    const TableCell& cell = table.cells[row][column];
    missing += cell.planned - cell.values.size() - cell.losses.size() - cell.diverged;
    diverged += cell.diverged;
    if (cell.values.empty() && cell.losses.empty()) continue;
    const Budget budget = parse_budget(table.columns[column]);
    if (made.curve.scores.empty()) {
      made.curve.unit = unit_of(budget);
      made.curve.is_loss = cell.values.empty();
      if (made.curve.is_loss) made.curve.chance.reset();
    }
    if (made.curve.unit != unit_of(budget))
      throw InputError(fmt::format("budgets in \"{}\" and in \"{}\" ({}); a curve has one unit",
                                   made.curve.unit, unit_of(budget), table.columns[column]));
    const std::vector<double>& values = made.curve.is_loss ? cell.losses : cell.values;
    if (values.empty())
      throw InputError(fmt::format("{}: has runs with and without an accuracy", made.title));
    CurveScore score{budget.amount, mean(values), std::nullopt, static_cast<std::int64_t>(values.size())};
    if (values.size() > 1) score.stddev = sample_stddev(values);
    made.curve.scores.push_back(score);
  }
  std::sort(made.curve.scores.begin(), made.curve.scores.end(),
            [](const CurveScore& a, const CurveScore& b) { return a.budget < b.budget; });
  if (missing > 0)
    made.notes.push_back(fmt::format("{} runs are not in yet, or failed; this is of the others", missing));
  if (diverged > 0)
    made.notes.push_back(
        fmt::format("{} runs diverged and are left out: the forecast is of those that do not", diverged));
  if (table.row_axis == "schedule" && table.rows[row].rfind("const", 0) == 0)
    made.notes.push_back(
        "const does not anneal: forecasts were made for schedules that land with the budget");
  return made;
}

}  // namespace

std::vector<StudyCurve> study_curves(const StudyResults& results, const std::string& schedule) {
  if (std::find(results.axes.begin(), results.axes.end(), "budget") == results.axes.end())
    throw InputError(fmt::format("study {}: its runs have one budget; a plan takes three and more",
                                 terminal_text(results.name)));
  TableOptions options = results.table;
  options.columns = "budget";
  if (options.rows == "budget") options.rows.clear();
  std::vector<StudyCurve> curves;
  for (const StudyTable& table : make_tables(results, options))
    curves.push_back(curve_of(results, table, row_of(table, schedule)));
  return curves;
}

}  // namespace glidepath
