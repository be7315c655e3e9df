// src/study/results/budget_curves.h - a study's results as budget curves.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/budget_curve.h"
#include "glidepath/study.h"
#include "glidepath/table.h"

namespace glidepath {

/// What a budget comes to; 0 where it is not known.
struct BudgetCosts {
  double epochs = 0, updates = 0, seconds = 0, flops = 0;
};

/// What budgets of a curve come to, told by the runs that are in: epochs, updates and operations in
/// proportion to the budget, the seconds of whole runs on a straight line, as they start and end in a time of
/// their own.
struct CostLaw {
  BudgetCosts of_unit;
  double start_seconds = 0;
  BudgetCosts of(double budget) const;
};

struct StudyCurve {
  std::string title;  ///< "linear, model resnet8": the row, and the values of the other axes
  std::string data;   ///< the data set's name
  std::string score;  ///< what the curve is of, in words: "test accuracy (%)", "test perplexity", "loss"
  BudgetCurve curve;
  std::optional<double> full;  ///< the full budget, in the curve's unit
  CostLaw costs;
  std::vector<std::string> notes;  ///< what is not in yet, and what forecasts do not know of
};

/// Percent that guessing gets right of a data set by name; none where it is not known.
using ChanceOf = std::function<std::optional<double>(const std::string& data)>;

/// Of each table of the study the row `schedule`, or, where rows are of another axis, every row. Of runs
/// without accuracy the loss; losses know no chance. Throws InputError for a study without an axis of budgets
/// in one unit, or without that row.
std::vector<StudyCurve> study_curves(const StudyResults& results, const std::string& schedule,
                                     const ChanceOf& chance = {});

/// Of one row of a table whose columns are budgets.
StudyCurve study_curve(const StudyResults& results, const StudyTable& table, std::size_t row,
                       const ChanceOf& chance = {});

}  // namespace glidepath
