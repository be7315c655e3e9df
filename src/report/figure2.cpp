// src/report/figure2.cpp - figure 2: the schedules, and linear at each budget.
#include <cmath>

#include <fmt/format.h>

#include "report/figure_parts.h"
#include "report/figures.h"

namespace glidepath {
namespace {

/// A schedule that is one line against progress: not cut where a budget ends, nor one that follows the loss
/// or counts epochs.
bool is_function_of_progress(const std::string& subject) {
  for (const char* other : {"cut(", "plateau", "sgdr("}) {
    if (subject.compare(0, std::string(other).size(), other) == 0) return false;
  }
  return true;
}

Panel schedules_panel(const StudyData& data) {
  Panel panel;
  panel.title = "(a) schedules";
  panel.x_label = "progress p (spent / budget)";
  panel.y_label = "factor f(p)";
  for (const std::string& subject : sgd_subjects(data)) {
    if (!is_function_of_progress(subject)) continue;
    for (const StudyRun& run : data.runs) {
      if (run.subject != subject) continue;
      Series line = lr_along(run, Along::kProgress);
      for (double& y : line.y) y /= run.record.config.base_lr;
      line.name = line.subject = subject;
      line.right_axis = false;
      panel.series.push_back(line);
      break;
    }
  }
  return panel;
}

Panel budgets_panel(const StudyData& data) {
  Panel panel;
  panel.title = "(b) linear at each budget";
  panel.x_label = "updates";
  panel.y_label = "learning rate";
  for (const double budget : budgets_of(data, "")) {
    for (const StudyRun& run : data.runs) {
      if (run.budget != budget || run.optimizer != "sgd") continue;
      Series line;
      line.name = fmt::format("linear at {}", budget_name(budget));
      line.subject = kLinear;
      line.budget = budget;
      line.x = {0, static_cast<double>(run.record.updates)};
      line.y = {run.record.config.base_lr, 0};
      panel.series.push_back(line);
      break;
    }
  }
  return panel;
}

}  // namespace

Figure make_figure2(const StudyData& data) {
  const Panel left = schedules_panel(data), right = budgets_panel(data);
  if (left.series.empty()) {
    refuse_figure(data, "2", "a run of a schedule that is a function of progress");
  }
  Figure figure{"2",
                "Schedules",
                fmt::format("Left: every schedule against progress, as a factor of base_lr. Right: the "
                            "learning rate of linear at each budget against updates. {}.",
                            data.caption),
                2,
                {left}};
  if (!right.series.empty()) figure.panels.push_back(right);
  return figure;
}

}  // namespace glidepath
