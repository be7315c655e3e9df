// src/report/figures/forecast_figure.cpp - what larger budgets would reach, as a figure.
#include "report/figures/forecast_figure.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "report/figures/figure_parts.h"
#include "study/results/budget_curves.h"

namespace glidepath {
namespace {

constexpr std::size_t kMostPanels = 4;

std::string row_to_show(const StudyResults& results, const std::string& schedule) {
  const auto values = results.values.find("schedule");
  if (!schedule.empty() || values == results.values.end()) return schedule;
  const auto& names = values->second;
  return std::find(names.begin(), names.end(), "linear") != names.end() ? "linear" : names.front();
}

Series line_named(const std::string& name, const std::string& subject, LineStyle style) {
  Series line;
  line.name = name;
  line.subject = subject;
  line.style = style;
  return line;
}

Series measured_line(const BudgetCurve& curve, const std::string& subject) {
  Series line = line_named(subject, subject, LineStyle::kSolid);
  for (const CurveScore& score : curve.scores) {
    line.x.push_back(score.budget);
    line.y.push_back(score.score);
    line.spread.push_back(score.stddev.value_or(0));
  }
  return line;
}

/// The panel of a curve that has a forecast.
std::optional<Panel> panel_of(const StudyCurve& study, const std::string& subject) {
  const BudgetCurve& curve = study.curve;
  if (!study.full || curve.scores.empty() || curve.scores.back().budget >= *study.full) return std::nullopt;
  try {
    const CurveErrors errors = errors_of(curve);
    const Forecast forecast(errors.points, errors.error_at_chance);
    Series median = line_named("forecast", subject, LineStyle::kDashed);
    Series low = line_named("5 %", subject, LineStyle::kDotted);
    Series high = line_named("95 %", subject, LineStyle::kDotted);
    constexpr int kPoints = 64;  // a curve without marks
    const double first = curve.scores.back().budget;
    for (int i = 0; i <= kPoints; ++i) {
      const double budget = first * std::pow(*study.full / first, static_cast<double>(i) / kPoints);
      const ForecastInterval at = forecast.at(budget);
      for (Series* line : {&median, &low, &high}) line->x.push_back(budget);
      median.y.push_back(curve.score_of(at.median));
      low.y.push_back(std::min(curve.score_of(at.low), curve.score_of(at.high)));
      high.y.push_back(std::max(curve.score_of(at.low), curve.score_of(at.high)));
    }
    Panel panel = budget_panel(study.title, study.score);
    panel.x_is_budget = false;  // whose ticks would be all points of the curve
    if (curve.unit != "%") panel.x_label = fmt::format("budget ({})", curve.unit);
    panel.series = {measured_line(curve, subject), median, low, high};
    return panel;
  } catch (const InputError&) {  // too few budgets, or still at chance
    return std::nullopt;
  }
}

}  // namespace

std::optional<Figure> make_forecast_figure(const StudyResults& results, const std::string& caption,
                                           const std::string& schedule, const ChanceOf& chance) {
  Figure figure{"forecast", "What larger budgets would reach", "", 2, {}};
  const std::string row = row_to_show(results, schedule);
  try {
    for (const StudyCurve& curve : study_curves(results, row, chance)) {
      auto panel = panel_of(curve, row.empty() ? "measured" : row);
      if (panel && figure.panels.size() < kMostPanels) figure.panels.push_back(std::move(*panel));
    }
  } catch (const InputError&) {  // no axis of budgets in one unit
    return std::nullopt;
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.columns = std::min<std::size_t>(2, figure.panels.size());
  figure.text = fmt::format(
      "Measured points with one standard deviation over seeds; dashed, the median of the forecast from them; "
      "dotted, "
      "its 90 % interval (glidepath plan has the numbers and what may make them wrong). {}.",
      caption);
  return figure;
}

}  // namespace glidepath
