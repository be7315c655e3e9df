// src/report/figures/series.h - lines of figures from the runs of a study: means over seeds, with their
// spread.
#pragma once
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "report/figures/chart.h"
#include "report/study_data.h"

namespace glidepath {

/// For what there is no number of.
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Runs that differ in their seed alone.
using SeedRuns = std::vector<const StudyRun*>;

/// The runs of a subject at a budget (percent); with a measure, only those that took it.
SeedRuns runs_at(const StudyData& data, const std::string& subject, double budget,
                 const std::string& measure = "");

/// Every budget in percent that the subject ("": any) has runs for, rising.
std::vector<double> budgets_of(const StudyData& data, const std::string& subject,
                               const std::string& measure = "");

/// The subjects in the order of the plan's runs.
std::vector<std::string> subjects_in(const StudyData& data);

/// The largest budget in percent; NaN when there is none.
double full_budget(const StudyData& data);

/// A point's place, and the values of its runs, which differ in their seed alone.
struct SeedValues {
  double x = 0;
  std::vector<double> values;
};

/// Through the means, with spreads where any point is of several runs; dashed where the subject is cut(...).
Series line_of(const std::string& subject, const std::vector<SeedValues>& points);

/// `value` of the runs against budget.
Series against_budget(const StudyData& data, const std::string& subject,
                      const std::function<double(const StudyRun&)>& value);
double test_accuracy_percent(const StudyRun& run);
double train_loss(const StudyRun& run);

enum class Along { kProgress, kEpochs };

/// A measure along training. Empty when no run took it. With `error_measure` the spread is the mean of that
/// measure in place of the standard deviation over seeds.
Series measure_along(const SeedRuns& runs, const std::string& measure, Along along,
                     const std::string& error_measure = "");
/// The loss, or the accuracy in percent, of one kind of curve point ("train", "eval").
Series loss_along(const SeedRuns& runs, const std::string& kind, Along along);
Series accuracy_along(const SeedRuns& runs, const std::string& kind, Along along);

/// Loss of the whole training set where it was measured, or else the mean loss of the updates.
Series training_loss_along(const SeedRuns& runs, Along along);

/// base_lr as the run had it: TrainConfig's, scaled by its budget.
double scaled_base_lr(const RunRecord& run);
/// The learning rate of a run, black, on the right axis: its schedule's own values, not only those at the
/// moments of a measure.
Series lr_along(const StudyRun& run, Along along);

/// "10%": as budgets are written.
std::string budget_name(double percent);

/// The n-th panel's letter and text: "(a) linear".
std::string panel_title(std::size_t place, const std::string& text);

}  // namespace glidepath
