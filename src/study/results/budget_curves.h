// src/study/results/budget_curves.h - a study's results as budget curves.
#pragma once
#include <string>
#include <vector>

#include "glidepath/budget_curve.h"
#include "glidepath/study.h"

namespace glidepath {

struct StudyCurve {
  std::string title;  ///< "linear, model resnet8": the row, and the values of the other axes
  std::string data;   ///< the data set's name
  BudgetCurve curve;
  std::vector<std::string> notes;  ///< what is not in yet, and what forecasts do not know of
};

/// Of each table of the study the row `schedule`, or the only one. Of runs without accuracy the loss. Throws
/// InputError for a study without an axis of budgets in one unit, or without that row.
std::vector<StudyCurve> study_curves(const StudyResults& results, const std::string& schedule);

}  // namespace glidepath
