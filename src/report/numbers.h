// src/report/numbers.h - what figures show, as numbers to quote: norms, correlations, losses; figures as CSV.
#pragma once
#include <string>
#include <vector>

#include "report/figures/chart.h"
#include "report/study_data.h"

namespace glidepath {

/// How a norm went along one run.
struct NormCourse {
  double first = 0, largest = 0, last = 0;
  double lr_correlation = 0;  ///< Pearson's, of the norm with the learning rate; NaN when either is constant
  double late_lr_correlation = 0;  ///< of the moments from progress 0.1 on: without the first fall
};
NormCourse norm_course(const StudyRun& run, const std::string& measure, const std::string& rate = "");

/// How the online estimate compares with the exact norm where both were measured.
struct EstimateCheck {
  std::size_t moments = 0;
  double mean_error = 0;     ///< mean of |estimate / exact - 1|
  double within_errors = 0;  ///< share of moments with the exact norm within two standard errors
};
EstimateCheck check_estimate(const StudyRun& run);

/// Markdown tables over schedules and budgets, means over seeds: gradient and weight norm at the start and
/// the end and correlation with the learning rate, where measured; final losses and accuracy; the online
/// estimate.
std::string render_numbers(const StudyData& data);

/// Long form, one line a point: figure, panel, series, subject, budget, axis, x, y, spread.
std::string figure_csv(const Figure& figure);

}  // namespace glidepath
