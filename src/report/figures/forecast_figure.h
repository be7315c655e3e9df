// src/report/figures/forecast_figure.h - what larger budgets would reach, as a figure.
#pragma once
#include <optional>
#include <string>

#include "glidepath/study.h"
#include "report/figures/chart.h"
#include "study/results/budget_curves.h"

namespace glidepath {

/// Measured points, median and 90 % interval up to the full budget, a panel for each of the study's tables,
/// four at most: of `schedule`, or where it is empty of linear, or else the first one. Nothing where no table
/// has three budgets, all of them below the full one, or no forecast can be made.
std::optional<Figure> make_forecast_figure(const StudyResults& results, const std::string& caption,
                                           const std::string& schedule, const ChanceOf& chance);

}  // namespace glidepath
