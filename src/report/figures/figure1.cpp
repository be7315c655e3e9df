// src/report/figures/figure1.cpp - figure 1: accuracy against budget, and the best trade-off.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/statistics.h"
#include "glidepath/table.h"
#include "report/figures/figure_parts.h"
#include "report/figures/figures.h"
#include "report/page/reference_table.h"

namespace glidepath {
namespace {

/// What stands for a budget on the x axis.
struct BudgetAxis {
  BudgetUnit unit = BudgetUnit::kPercent;
  bool is_time_spent = false;  ///< of budgets in several units

  Panel panel(const std::string& title, const std::string& y_label) const {
    Panel panel = budget_panel(title, y_label);
    if (unit == BudgetUnit::kPercent && !is_time_spent) return panel;
    panel.x_is_budget = false;
    panel.x_label = is_time_spent                     ? "time spent (s)"
                    : unit == BudgetUnit::kIterations ? "budget (updates)"
                    : unit == BudgetUnit::kEpochs     ? "budget (epochs)"
                    : unit == BudgetUnit::kSeconds    ? "budget (s)"
                    : unit == BudgetUnit::kTokens     ? "budget (tokens)"
                                                      : "budget (FLOPs)";
    return panel;
  }
  double place(const StudyRun& run) const {
    return is_time_spent ? run.record.seconds : parse_budget(run.record.config.budget).amount;
  }
};

BudgetAxis axis_for(const std::vector<const StudyRun*>& runs) {
  BudgetAxis axis;
  for (const StudyRun* run : runs) {
    const BudgetUnit unit = parse_budget(run->record.config.budget).unit;
    axis.is_time_spent = axis.is_time_spent || (run != runs.front() && unit != axis.unit);
    axis.unit = unit;
  }
  return axis;
}

/// The texts of all budgets, rising.
std::vector<std::string> budgets_along(const std::vector<const StudyRun*>& runs, const BudgetAxis& axis) {
  std::map<std::string, std::vector<double>> places;
  for (const StudyRun* run : runs) places[run->record.config.budget].push_back(axis.place(*run));
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [budget, values] : places) order.emplace_back(mean(values), budget);
  std::sort(order.begin(), order.end());
  std::vector<std::string> budgets;
  for (const auto& [place, budget] : order) budgets.push_back(budget);
  return budgets;
}

/// A line, and which of the budgets its points are of.
struct Line {
  Series series;
  std::vector<std::string> budgets;
};

Line score_line(const std::vector<const StudyRun*>& runs, const BudgetAxis& axis, const ShownScore& shown,
                const std::string& subject, const std::vector<std::string>& budgets) {
  Line line;
  std::vector<SeedValues> points;
  for (const std::string& budget : budgets) {
    std::vector<double> places, accuracies;
    for (const StudyRun* run : runs) {
      if (run->subject != subject || run->record.config.budget != budget) continue;
      places.push_back(axis.place(*run));
      accuracies.push_back(shown.of(*run));
    }
    if (accuracies.empty()) continue;
    line.budgets.push_back(budget);
    points.push_back({mean(places), accuracies});
  }
  line.series = line_of(subject, points);
  return line;
}

/// SGD's subjects, as the figure compares schedules; every subject of a study without SGD.
std::vector<std::string> compared_subjects(const StudyData& data) {
  const std::vector<std::string> subjects = sgd_subjects(data);
  return subjects.empty() ? subjects_in(data) : subjects;
}

std::vector<const StudyRun*> runs_of(const StudyData& data, const ShownScore& shown,
                                     const std::vector<std::string>& subjects) {
  std::vector<const StudyRun*> runs;
  for (const StudyRun& run : data.runs) {
    const bool has_score = !std::isnan(shown.of(run));
    if (has_score && std::find(subjects.begin(), subjects.end(), run.subject) != subjects.end())
      runs.push_back(&run);
  }
  return runs;
}

/// The best published accuracy at the largest budget.
double best_of(const StudyReference& reference) {
  double best = 0;
  for (const auto& [schedule, accuracies] : reference.accuracy) best = std::max(best, accuracies.back());
  return best;
}

/// The line that the reader names, or the one whose average rank over the budgets is the best, chosen before
/// its accuracies are looked at: at each budget the highest of several noisy means is above what any of them
/// is worth. Only lines that have the most budgets are ranked, by the budgets of the first of them.
const Series& chosen_line(const std::vector<Line>& lines, const ShownScore& shown, const std::string& named) {
  if (!named.empty()) {
    std::vector<std::string> names;
    for (const Line& line : lines) {
      if (line.series.subject == named) return line.series;
      names.push_back(line.series.subject);
    }
    throw InputError(
        fmt::format("--envelope \"{}\": no finished run of it; there are {}", named, fmt::join(names, ", ")));
  }
  const auto whole = std::max_element(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.budgets.size() < b.budgets.size();
  });
  std::vector<const Line*> ranked;
  for (const Line& line : lines) {
    if (line.budgets == whole->budgets) ranked.push_back(&line);
  }
  std::vector<double> sums(ranked.size(), 0);
  for (std::size_t i = 0; i < whole->budgets.size(); ++i) {
    std::vector<double> values;
    for (const Line* line : ranked) values.push_back(line->series.y[i]);
    const std::vector<double> places = ranks(values, shown.higher_is_better());
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += places[j];
  }
  return ranked[static_cast<std::size_t>(std::min_element(sums.begin(), sums.end()) - sums.begin())]->series;
}

/// In percent of a reference; where less is better, how far the reference is below.
Series relative_to(Series series, double reference, bool higher_is_better = true) {
  if (!higher_is_better) {
    for (double& y : series.y) y = 100 * reference / y;
    return series;
  }
  for (double& y : series.y) y *= 100 / reference;
  for (double& spread : series.spread) spread *= 100 / reference;
  return series;
}

}  // namespace

Figure make_figure1(const StudyData& data) {
  const std::vector<std::string> subjects = compared_subjects(data);
  const ShownScore shown(data.score);
  const std::vector<const StudyRun*> runs = runs_of(data, shown, subjects);
  const BudgetAxis axis = axis_for(runs);
  const std::vector<std::string> budgets = budgets_along(runs, axis);
  Panel accuracy = axis.panel("(a) " + shown.word(), shown.label());
  std::vector<Line> lines;
  for (const std::string& subject : subjects) {
    Line line = score_line(runs, axis, shown, subject, budgets);
    if (line.budgets.empty()) continue;
    lines.push_back(std::move(line));
    accuracy.series.push_back(lines.back().series);
  }
  if (lines.empty())
    refuse_figure(data, "1", data.runs.empty() ? "runs" : ("runs with a " + shown.title()).c_str());
  const Series chosen = chosen_line(lines, shown, data.envelope);
  std::stable_sort(accuracy.series.begin(), accuracy.series.end(), [&](const Series& a, const Series& b) {
    return shown.higher_is_better() ? mean(a.y) > mean(b.y) : mean(a.y) < mean(b.y);
  });

  for (std::size_t i = 0; shown.is_accuracy() && accuracy.x_is_budget && i < data.reference.accuracy.size();
       ++i)
    accuracy.series.push_back(reference_series(data.reference, i));

  const char* largest = accuracy.x_is_budget ? "full" : "largest";
  Panel relative = axis.panel(fmt::format("(b) relative to the {} budget", largest),
                              shown.higher_is_better()
                                  ? fmt::format("% of {}'s {}-budget {}", chosen.name, largest, shown.word())
                                  : fmt::format("{}-budget {} in % of this one", largest, shown.word()));
  const double reference = chosen.y.back();
  for (const Series& line : accuracy.series) {
    relative.series.push_back(
        relative_to(line, line.is_reference ? best_of(data.reference) : reference, shown.higher_is_better()));
    relative.series.back().spread.clear();
  }
  Series envelope = relative_to(chosen, reference, shown.higher_is_better());
  envelope.name = "trade-off";
  envelope.subject = "envelope";
  envelope.style = LineStyle::kDotted;
  envelope.spread.clear();
  relative.series.push_back(envelope);
  const std::string reference_text =
      data.reference.source.empty()
          ? ""
          : fmt::format(" Open points, dotted: {}, relative to their own best.", data.reference.source);
  return {"1",
          shown.is_accuracy() ? "Accuracy against budget" : "Score against budget",
          fmt::format("Left: {5} against budget, mean and one standard deviation over seeds; a "
                      "cut(...) schedule is the off-the-shelf one, ended where the budget ends. Right: the "
                      "same relative to {0} at the {3} budget; dotted, the trade-off of {0}{4}. {1}.{2}",
                      chosen.name, data.caption, accuracy.x_is_budget ? reference_text : "", largest,
                      data.envelope.empty() ? ", which has the best average rank over the budgets"
                                            : ", as was asked for (--envelope)",
                      shown.title()),
          2,
          {accuracy, relative}};
}

}  // namespace glidepath
