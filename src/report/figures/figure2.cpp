// src/report/figures/figure2.cpp - figure 2: the schedules, and one of them at each budget.
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "report/figures/figure_parts.h"
#include "report/figures/figures.h"

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
      const double base_lr = scaled_base_lr(run.record);
      for (double& y : line.y) y /= base_lr;
      line.name = line.subject = subject;
      line.right_axis = false;
      panel.series.push_back(line);
      break;
    }
  }
  return panel;
}

/// Linear where it was run, or else the first schedule that is a function of progress; empty: none.
std::string subject_across_budgets(const StudyData& data) {
  std::string first;
  for (const std::string& subject : sgd_subjects(data)) {
    if (subject == kLinear) return subject;
    if (first.empty() && is_function_of_progress(subject)) first = subject;
  }
  return first;
}

Panel budgets_panel(const StudyData& data, const std::string& subject) {
  Panel panel;
  panel.title = fmt::format("(b) {} at each budget", subject);
  panel.x_label = "updates";
  panel.y_label = "learning rate";
  std::map<std::int64_t, const StudyRun*> runs;  // by updates: one run of each budget
  for (const StudyRun& run : data.runs) {
    if (run.subject == subject && run.optimizer == "sgd") runs.emplace(run.record.updates, &run);
  }
  std::set<std::string> seen;  // budgets in time buy other numbers of updates each time
  for (const auto& [updates, run] : runs) {
    if (!seen.insert(run->record.config.budget).second) continue;
    Series line = lr_along(*run, Along::kProgress);
    for (double& x : line.x) x *= static_cast<double>(updates);
    line.name = fmt::format("{} at {}", subject, run->record.config.budget);
    line.subject = subject;
    line.budget = run->budget;
    line.right_axis = false;
    panel.series.push_back(line);
  }
  return panel;
}

}  // namespace

Figure make_figure2(const StudyData& data) {
  const std::string subject = subject_across_budgets(data);
  const Panel left = schedules_panel(data), right = budgets_panel(data, subject);
  if (left.series.empty()) {
    refuse_figure(data, "2", "a run of a schedule that is a function of progress");
  }
  Figure figure{"2",
                "Schedules",
                fmt::format("Left: every schedule against progress, as a factor of base_lr. Right: the "
                            "learning rate of {} at each budget against updates. {}.",
                            subject, data.caption),
                2,
                {left}};
  if (!right.series.empty()) figure.panels.push_back(right);
  return figure;
}

}  // namespace glidepath
