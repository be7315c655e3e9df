// src/report/figures.cpp - what figures show, computed from a study's results.
#include "report/figures.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/statistics.h"

namespace glidepath {
namespace {

// schedule -> budget in percent -> accuracies in percent
using Accuracies = std::map<std::string, std::map<double, std::vector<double>>>;

Accuracies collect(const StudyResults& results) {
  Accuracies accuracies;
  for (const RunRecord& run : results.runs) {
    const Budget budget = parse_budget(run.config.budget);
    if (run.status != RunStatus::kDone || budget.unit != BudgetUnit::kPercent) continue;
    accuracies[run.config.schedule][budget.amount].push_back(100 * run.test_accuracy);
  }
  return accuracies;
}

AccuracyLine line_of(const std::string& schedule, const std::map<double, std::vector<double>>& cells) {
  AccuracyLine line;
  line.schedule = schedule;
  line.cut = schedule.compare(0, 4, "cut(") == 0;
  for (const auto& [budget, values] : cells) {
    line.budget.push_back(budget);
    line.mean.push_back(mean(values));
    line.stddev.push_back(values.size() > 1 ? sample_stddev(values) : 0);
  }
  return line;
}

}  // namespace

double AccuracyLine::average() const { return glidepath::mean(mean); }

Figure1 make_figure1(const StudyResults& results) {
  Figure1 figure;
  std::map<double, double> best;
  for (const auto& [schedule, cells] : collect(results)) {
    figure.lines.push_back(line_of(schedule, cells));
    const AccuracyLine& line = figure.lines.back();
    for (std::size_t i = 0; i < line.budget.size(); ++i) {
      best[line.budget[i]] = std::max(best[line.budget[i]], line.mean[i]);
    }
  }
  if (best.empty()) {
    throw InputError(fmt::format(
        "study \"{}\": no run with its budget in percent has finished; figure 1 needs some", results.name));
  }
  std::stable_sort(figure.lines.begin(), figure.lines.end(),
                   [](const AccuracyLine& a, const AccuracyLine& b) { return a.average() > b.average(); });
  figure.reference = best.rbegin()->second;
  for (const auto& [budget, accuracy] : best) {
    figure.budget.push_back(budget);
    figure.envelope.push_back(100 * accuracy / figure.reference);
  }
  return figure;
}

std::string study_caption(const StudyResults& results) {
  if (results.runs.empty()) return "no runs";
  const TrainConfig& config = results.runs.front().config;
  std::set<std::uint64_t> seeds;
  std::size_t done = 0;
  for (const RunRecord& run : results.runs) {
    seeds.insert(run.config.seed);
    done += run.status == RunStatus::kDone ? 1 : 0;
  }
  const std::string part =
      config.train_limit == 0 ? "" : fmt::format(", first {} images", config.train_limit);
  return fmt::format("{}{}, {}{}, full budget {}, {} seed{}, {} of {} runs", config.data, part, config.model,
                     config.width == 1 ? "" : fmt::format(" at width {}", config.width), config.full,
                     seeds.size(), seeds.size() == 1 ? "" : "s", done, results.runs.size());
}

}  // namespace glidepath
