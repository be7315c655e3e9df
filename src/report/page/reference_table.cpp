// src/report/page/reference_table.cpp - published results beside those of a study.
#include "report/page/reference_table.h"

#include <fmt/format.h>

#include "core/safe_text.h"
#include "glidepath/statistics.h"
#include "report/figures/series.h"

namespace glidepath {
namespace {

std::string our_cell(const StudyData& data, const std::string& schedule, double budget) {
  std::vector<double> values;
  for (const StudyRun* run : runs_at(data, schedule, budget)) values.push_back(test_accuracy_percent(*run));
  return values.empty() ? "-" : fmt::format("{:.2f}", mean(values));
}

}  // namespace

Series reference_series(const StudyReference& reference, std::size_t schedule) {
  Series series;
  series.subject = reference.accuracy[schedule].first;
  series.name = "paper: " + series.subject;
  series.style = LineStyle::kDotted;
  series.is_reference = true;
  series.x = reference.budgets;
  series.y = reference.accuracy[schedule].second;
  return series;
}

std::string render_reference(const StudyData& data) {
  const StudyReference& reference = data.reference;
  if (reference.accuracy.empty()) return {};
  std::string head = "| schedule | results |", rule = "|---|---|", rows;
  for (const double budget : reference.budgets) {
    head += fmt::format(" {} |", budget_name(budget));
    rule += "---:|";
  }
  for (const auto& [schedule, accuracies] : reference.accuracy) {
    std::string theirs = fmt::format("| {} | paper |", markdown_text(schedule)),
                ours = fmt::format("| {} | here |", markdown_text(schedule));
    for (std::size_t i = 0; i < accuracies.size(); ++i) {
      theirs += fmt::format(" {:.2f} |", accuracies[i]);
      ours += fmt::format(" {} |", our_cell(data, schedule, reference.budgets[i]));
    }
    rows += theirs + "\n" + ours + "\n";
  }
  return fmt::format("## Beside the paper\n\nTest accuracy in percent. Paper: {}. Here: {}.\n\n{}\n{}\n{}\n",
                     markdown_text(reference.source), markdown_text(data.caption), head, rule, rows);
}

}  // namespace glidepath
