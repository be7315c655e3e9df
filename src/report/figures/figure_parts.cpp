// src/report/figures/figure_parts.cpp - panels that several figures have.
#include "report/figures/figure_parts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "config/measure_text.h"
#include "config/result_numbers.h"
#include "glidepath/error.h"
#include "glidepath/table.h"

namespace glidepath {

void refuse_figure(const StudyData& data, const std::string& id, const std::string& needed) {
  throw InputError(fmt::format("study \"{}\": figure {} needs {}; none has finished", data.name, id, needed));
}

void require(const SeedRuns& runs, const StudyData& data, const std::string& id, const std::string& needed) {
  if (runs.empty()) refuse_figure(data, id, needed);
}

Panel budget_panel(const std::string& title, const std::string& y_label) {
  Panel panel;
  panel.title = title;
  panel.x_label = "budget (% of the full budget)";
  panel.y_label = y_label;
  panel.log_x = panel.x_is_budget = true;
  return panel;
}

ShownScore::ShownScore(const std::string& name) : name_(name), kind_(*score_kind(name)) {}

double ShownScore::of(const StudyRun& run) const {
  const std::optional<double> value = score_of(run.record, name_);
  return value ? (kind_.is_share ? 100 : 1) * *value : kNaN;
}

std::string ShownScore::title() const { return find_result_number(name_)->what; }
std::string ShownScore::word() const { return is_accuracy() ? "accuracy" : title(); }
std::string ShownScore::label() const { return title() + (kind_.is_share ? " (%)" : ""); }

Panel norm_and_lr(const SeedRuns& runs, const std::string& title, const std::string& measure,
                  const std::string& name) {
  Panel panel;
  panel.title = title;
  panel.x_label = "epochs";
  panel.y_label = name;
  panel.right_label = "learning rate";
  panel.series.push_back(measure_along(runs, measure, Along::kEpochs));
  panel.series.back().name = fmt::format("{}, {}", name, runs.front()->subject);
  panel.series.back().budget = runs.front()->budget;
  panel.series.push_back(lr_along(*runs.front(), Along::kEpochs));
  panel.series.back().budget = runs.front()->budget;
  return panel;
}

Panel across_budgets(const StudyData& data, const std::string& subject, const std::string& title,
                     const std::string& measure, const std::string& y_label) {
  Panel panel;
  panel.title = title;
  panel.x_label = "progress p (spent / budget)";
  panel.y_label = y_label;
  for (const double budget : budgets_of(data, subject, measure)) {
    const SeedRuns runs = runs_at(data, subject, budget, measure);
    panel.series.push_back(measure_along(runs, measure, Along::kProgress));
    panel.series.back().name = fmt::format("{} at {}", subject, budget_name(budget));
    panel.series.back().budget = budget;
  }
  return panel;
}

std::string gradient_note(const StudyData& data) {
  std::set<std::string> notes;
  for (const StudyRun& run : data.runs) {
    for (const MeasureItem& item : parse_measures(run.record.config.measure)) {
      if (item.what != Measure::kGradNorm) continue;
      notes.insert(fmt::format(" ‖g*‖ is of the {}training loss{}, batch norm taking {}.",
                               item.augment ? "augmented " : "", item.decay ? " with weight decay" : "",
                               item.statistics == NormStatistics::kBatch ? "each batch's own statistics"
                               : item.statistics == NormStatistics::kRunning
                                   ? "its running statistics"
                                   : "the statistics of all images"));
    }
  }
  return notes.size() == 1 ? *notes.begin() : "";
}

std::vector<std::string> sgd_subjects(const StudyData& data, const std::string& prefix) {
  std::vector<std::string> subjects;
  for (const StudyRun& run : data.runs) {
    if (run.optimizer != "sgd" || run.subject.compare(0, prefix.size(), prefix) != 0) continue;
    if (std::find(subjects.begin(), subjects.end(), run.subject) == subjects.end())
      subjects.push_back(run.subject);
  }
  return subjects;
}

std::vector<std::string> adaptive_subjects(const StudyData& data) {
  std::vector<std::string> subjects;
  for (const char* known : {"adagrad", "rmsprop", "adam", "amsgrad", "adamw"}) {
    if (!budgets_of(data, known).empty()) subjects.push_back(known);
  }
  return subjects;
}

}  // namespace glidepath
