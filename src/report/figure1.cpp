// src/report/figure1.cpp - figure 1: accuracy against budget, and the best trade-off.
#include <algorithm>
#include <cmath>
#include <map>

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

Series relative_to(Series series, double reference) {
  for (double& y : series.y) y *= 100 / reference;
  for (double& spread : series.spread) spread *= 100 / reference;
  return series;
}

}  // namespace

Figure make_figure1(const StudyData& data) {
  Panel accuracy = budget_panel("(a) accuracy", "test accuracy (%)");
  std::map<double, double> best;
  for (const std::string& subject : compared_subjects(data)) {
    accuracy.series.push_back(against_budget(data, subject, test_accuracy_percent));
    const Series& line = accuracy.series.back();
    for (std::size_t i = 0; i < line.x.size(); ++i) best[line.x[i]] = std::max(best[line.x[i]], line.y[i]);
  }
  if (best.empty()) {
    throw InputError(fmt::format(
        "study \"{}\": no run with its budget in percent has finished; figure 1 needs some", data.name));
  }
  std::stable_sort(accuracy.series.begin(), accuracy.series.end(),
                   [](const Series& a, const Series& b) { return mean(a.y) > mean(b.y); });

  for (std::size_t i = 0; i < data.reference.accuracy.size(); ++i)
    accuracy.series.push_back(reference_series(data.reference, i));

  Panel relative = budget_panel("(b) relative to the full budget", "% of the best full-budget accuracy");
  const double reference = best.rbegin()->second;
  for (const Series& line : accuracy.series) {
    relative.series.push_back(relative_to(line, line.is_reference ? best_of(data.reference) : reference));
    relative.series.back().spread.clear();
  }
  Series envelope;
  envelope.name = "best trade-off";
  envelope.subject = "envelope";
  envelope.style = LineStyle::kDotted;
  for (const auto& [budget, value] : best) {
    envelope.x.push_back(budget);
    envelope.y.push_back(100 * value / reference);
  }
  relative.series.push_back(envelope);
  const std::string reference_text =
      data.reference.source.empty()
          ? ""
          : fmt::format(" Open points, dotted: {}, relative to their own best.", data.reference.source);
  return {
      "1",
      "Accuracy against budget",
      fmt::format("Left: test accuracy against budget, mean and one standard deviation over seeds; a "
                  "cut(...) schedule is the off-the-shelf one, ended where the budget ends. Right: the "
                  "same relative to the best accuracy at the full budget; dotted, the best trade-off. {}.{}",
                  data.caption, reference_text),
      2,
      {accuracy, relative}};
}

}  // namespace glidepath
