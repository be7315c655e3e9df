// src/report/figures/series.cpp - lines of figures from the runs of a study.
#include "report/figures/series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "config/budget_scale.h"
#include "core/letters.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "glidepath/statistics.h"
#include "report/figures/palette.h"

namespace glidepath {
namespace {

bool took(const StudyRun& run, const std::string& measure) {
  return measure.empty() || std::any_of(run.measures.begin(), run.measures.end(),
                                        [&](const MeasurePoint& point) { return point.name == measure; });
}

double position(const StudyRun& run, double progress, Along along) {
  return along == Along::kProgress ? progress : progress * run.record.epochs;
}

/// Values of several seeds at one moment of training.
struct Moment {
  double x = 0;
  std::vector<double> values, errors;
};
using Moments = std::map<std::int64_t, Moment>;  // by update: the same for all seeds of one configuration

void add_point(Series& series, double x, const std::vector<double>& values, bool has_spread) {
  series.x.push_back(x);
  series.y.push_back(mean(values));
  if (has_spread) series.spread.push_back(values.size() > 1 ? sample_stddev(values) : 0);
}

Series to_series(const Moments& moments, std::size_t seeds, bool has_errors) {
  Series series;
  for (const auto& [step, moment] : moments) {
    add_point(series, moment.x, moment.values, seeds > 1 && !has_errors);
    if (has_errors) series.spread.push_back(mean(moment.errors));
  }
  return series;
}

Series curve_along(const SeedRuns& runs, const std::string& kind, Along along,
                   const std::function<double(const CurvePoint&)>& value) {
  Moments moments;
  for (const StudyRun* run : runs) {
    for (const CurvePoint& point : run->curve) {
      if (point.kind != kind) continue;
      Moment& moment = moments[point.step];
      moment.x = position(*run, point.progress, along);
      moment.values.push_back(value(point));
    }
  }
  return to_series(moments, runs.size(), false);
}

/// Updates an epoch; 0 where the run had no epochs.
double steps_per_epoch_of(const RunRecord& run) {
  return run.epochs > 0 ? std::round(static_cast<double>(run.updates) / run.epochs) : 0;
}

/// The context that the run's schedule was read with.
ScheduleContext context_of(const RunRecord& run) {
  ScheduleContext context;
  context.base_lr = scaled_base_lr(run);
  context.updates = static_cast<double>(run.updates);
  if (!(run.epochs > 0)) return context;
  context.steps_per_epoch = steps_per_epoch_of(run);
  const Budget full = parse_budget(run.config.full);
  if (full.unit == BudgetUnit::kIterations || full.unit == BudgetUnit::kEpochs) {
    const BudgetContext budget{static_cast<std::int64_t>(context.steps_per_epoch), full};
    context.full_updates = static_cast<double>(updates_in(full, budget));
  }
  return context;
}

}  // namespace

double scaled_base_lr(const RunRecord& run) {
  const double steps = std::max(1.0, steps_per_epoch_of(run));
  return at_its_budget(run.config, static_cast<std::int64_t>(steps)).base_lr;
}

SeedRuns runs_at(const StudyData& data, const std::string& subject, double budget,
                 const std::string& measure) {
  SeedRuns runs;
  for (const StudyRun& run : data.runs) {
    if (run.subject == subject && run.budget == budget && took(run, measure)) runs.push_back(&run);
  }
  return runs;
}

std::vector<double> budgets_of(const StudyData& data, const std::string& subject,
                               const std::string& measure) {
  std::set<double> budgets;
  for (const StudyRun& run : data.runs) {
    const bool is_asked = subject.empty() || run.subject == subject;
    if (is_asked && !std::isnan(run.budget) && took(run, measure)) budgets.insert(run.budget);
  }
  return {budgets.begin(), budgets.end()};
}

std::vector<std::string> subjects_in(const StudyData& data) {
  std::vector<std::string> subjects;
  for (const StudyRun& run : data.runs) {
    if (std::find(subjects.begin(), subjects.end(), run.subject) == subjects.end())
      subjects.push_back(run.subject);
  }
  return subjects;
}

double full_budget(const StudyData& data) {
  const std::vector<double> budgets = budgets_of(data, "");
  return budgets.empty() ? kNaN : budgets.back();
}

Series line_of(const std::string& subject, const std::vector<SeedValues>& points) {
  Series series;
  series.name = series.subject = subject;
  if (cut_of(subject)) series.style = LineStyle::kDashed;
  const bool has_spread = std::any_of(points.begin(), points.end(),
                                      [](const SeedValues& point) { return point.values.size() > 1; });
  for (const SeedValues& point : points) add_point(series, point.x, point.values, has_spread);
  return series;
}

Series against_budget(const StudyData& data, const std::string& subject,
                      const std::function<double(const StudyRun&)>& value) {
  std::vector<SeedValues> points;
  for (const double budget : budgets_of(data, subject)) {
    points.push_back({budget, {}});
    for (const StudyRun* run : runs_at(data, subject, budget)) points.back().values.push_back(value(*run));
  }
  return line_of(subject, points);
}

double test_accuracy_percent(const StudyRun& run) { return 100 * run.record.test_accuracy; }
double train_loss(const StudyRun& run) { return run.record.train_loss; }

Series measure_along(const SeedRuns& runs, const std::string& measure, Along along,
                     const std::string& error_measure) {
  Moments moments;
  std::size_t seeds = 0;
  for (const StudyRun* run : runs) {
    seeds += took(*run, measure) ? 1 : 0;
    for (const MeasurePoint& point : run->measures) {
      Moment& moment = moments[point.step];
      if (point.name == measure) {
        moment.x = position(*run, point.progress, along);
        moment.values.push_back(point.value);
      } else if (point.name == error_measure) {
        moment.errors.push_back(point.value);
      }
    }
  }
  for (auto moment = moments.begin(); moment != moments.end();)
    moment = moment->second.values.empty() ? moments.erase(moment) : std::next(moment);
  Series series = to_series(moments, seeds, !error_measure.empty());
  if (!runs.empty()) series.subject = runs.front()->subject;
  return series;
}

Series loss_along(const SeedRuns& runs, const std::string& kind, Along along) {
  return curve_along(runs, kind, along, [](const CurvePoint& point) { return point.loss; });
}

Series accuracy_along(const SeedRuns& runs, const std::string& kind, Along along) {
  return curve_along(runs, kind, along, [](const CurvePoint& point) { return 100 * point.accuracy; });
}

Series training_loss_along(const SeedRuns& runs, Along along) {
  Series measured = measure_along(runs, "train_loss_full", along);
  if (measured.x.size() > 1) return measured;
  return loss_along(runs, "train", along);
}

Series lr_along(const StudyRun& run, Along along) {
  constexpr int kSamples = 480;
  Series series;
  series.name = "learning rate";
  series.subject = "lr";
  series.right_axis = true;
  const Schedule schedule = parse_schedule(run.record.config.schedule, context_of(run.record));
  if (schedule.plateau()) {  // follows the loss: known only where it was written down
    for (const MeasurePoint& point : run.measures) {
      if (!series.x.empty() && position(run, point.progress, along) <= series.x.back()) continue;
      series.x.push_back(position(run, point.progress, along));
      series.y.push_back(point.lr);
    }
    return series;
  }
  const double base_lr = scaled_base_lr(run.record);
  for (int sample = 0; sample <= kSamples; ++sample) {
    const double progress = static_cast<double>(sample) / kSamples;
    series.x.push_back(position(run, progress, along));
    series.y.push_back(base_lr * schedule(progress));
  }
  return series;
}

std::string budget_name(double percent) { return fmt::format("{:g}%", percent); }

std::string panel_title(std::size_t place, const std::string& text) {
  return fmt::format("({}) {}", static_cast<char>('a' + place), text);
}

}  // namespace glidepath
