// src/report/figure1.cpp - figure 1: accuracy against budget, and the best trade-off.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "glidepath/statistics.h"
#include "report/figure_parts.h"
#include "report/figures.h"
#include "report/reference_table.h"

namespace glidepath {
namespace {

/// SGD's subjects, as the figure compares schedules; every subject of a study without SGD.
std::vector<std::string> compared_subjects(const StudyData& data) {
  std::vector<std::string> subjects = sgd_subjects(data);
  if (subjects.empty()) subjects = subjects_in(data);
  subjects.erase(std::remove_if(subjects.begin(), subjects.end(),
                                [&](const auto& subject) { return budgets_of(data, subject).empty(); }),
                 subjects.end());
  return subjects;
}

/// The best published accuracy at the largest budget.
double best_of(const StudyReference& reference) {
  double best = 0;
  for (const auto& [schedule, accuracies] : reference.accuracy) best = std::max(best, accuracies.back());
  return best;
}

/// The subject whose average rank over the budgets is the best, chosen before its accuracies are looked at:
/// at each budget the highest of several noisy means is above what any of them is worth. Only subjects that
/// have every budget; all, where none has.
Series chosen_line(const std::vector<Series>& lines) {
  std::size_t most = 0;
  for (const Series& line : lines) most = std::max(most, line.x.size());
  std::vector<const Series*> whole;
  for (const Series& line : lines) {
    if (line.x.size() == most) whole.push_back(&line);
  }
  std::vector<double> sums(whole.size(), 0);
  for (std::size_t i = 0; i < most; ++i) {
    std::vector<double> values;
    for (const Series* line : whole) values.push_back(line->y[i]);
    const std::vector<double> places = ranks(values, /*higher_is_better=*/true);
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += places[j];
  }
  std::size_t best = 0;
  for (std::size_t j = 1; j < sums.size(); ++j) best = sums[j] < sums[best] ? j : best;
  return *whole[best];
}

Series relative_to(Series series, double reference) {
  for (double& y : series.y) y *= 100 / reference;
  for (double& spread : series.spread) spread *= 100 / reference;
  return series;
}

}  // namespace

Figure make_figure1(const StudyData& data) {
  Panel accuracy = budget_panel("(a) accuracy", "test accuracy (%)");
  for (const std::string& subject : compared_subjects(data))
    accuracy.series.push_back(against_budget(data, subject, test_accuracy_percent));
  if (accuracy.series.empty()) {
    throw InputError(fmt::format(
        "study \"{}\": no run with its budget in percent has finished; figure 1 needs some", data.name));
  }
  const Series chosen = chosen_line(accuracy.series);
  std::stable_sort(accuracy.series.begin(), accuracy.series.end(),
                   [](const Series& a, const Series& b) { return mean(a.y) > mean(b.y); });

  for (std::size_t i = 0; i < data.reference.accuracy.size(); ++i)
    accuracy.series.push_back(reference_series(data.reference, i));

  Panel relative = budget_panel("(b) relative to the full budget",
                                fmt::format("% of {}'s full-budget accuracy", chosen.name));
  const double reference = chosen.y.back();
  for (const Series& line : accuracy.series) {
    relative.series.push_back(relative_to(line, line.is_reference ? best_of(data.reference) : reference));
    relative.series.back().spread.clear();
  }
  Series envelope = relative_to(chosen, reference);
  envelope.name = "trade-off";
  envelope.subject = "envelope";
  envelope.style = LineStyle::kDotted;
  envelope.spread.clear();
  relative.series.push_back(envelope);
  const std::string reference_text =
      data.reference.source.empty()
          ? ""
          : fmt::format(" Open points, dotted: {}, relative to their own best.", data.reference.source);
  return {
      "1",
      "Accuracy against budget",
      fmt::format(
          "Left: test accuracy against budget, mean and one standard deviation over seeds; a "
          "cut(...) schedule is the off-the-shelf one, ended where the budget ends. Right: the "
          "same relative to {0} at the full budget; dotted, the trade-off of {0}, which has the best average "
          "rank over the budgets. {1}.{2}",
          chosen.name, data.caption, reference_text),
      2,
      {accuracy, relative}};
}

}  // namespace glidepath
