// src/report/figures/figure3.cpp - figure 3: the full gradient norm vanishes as the learning rate does.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/figures/figure_parts.h"
#include "report/figures/figures.h"
#include "report/figures/palette.h"

namespace glidepath {
namespace {

constexpr std::size_t kPanelsInRow = 4;

/// The paper's own first; others after them in the study's order, and SGDR, which has a figure of its own,
/// last.
std::vector<std::string> row_of_schedules(const StudyData& data) {
  std::vector<std::string> subjects;
  for (const std::string& subject : sgd_subjects(data)) {
    if (subject != kLinear && !budgets_of(data, subject, kGradNorm).empty()) subjects.push_back(subject);
  }
  const auto rank = [](const std::string& subject) {
    const char* first[] = {"step-d2", "cosine", "cut(", "const"};
    for (std::size_t i = 0; i < std::size(first); ++i) {
      if (subject.compare(0, std::string(first[i]).size(), first[i]) == 0) return i;
    }
    return std::size(first) + (subject.compare(0, 4, "sgdr") == 0 ? 1 : 0);
  };
  std::stable_sort(subjects.begin(), subjects.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  if (subjects.size() > kPanelsInRow) subjects.resize(kPanelsInRow);
  return subjects;
}

std::string title_of(const std::string& subject, double budget) {
  const auto whole = cut_of(subject);
  return fmt::format("{}, {}{}", whole.value_or(subject), whole ? "cut at " : "", budget_name(budget));
}

/// Low, middle and high ones of a longer list.
std::vector<double> three_of(const std::vector<double>& budgets) {
  const std::size_t n = budgets.size();
  return {budgets[(n - 1) / 3], budgets[std::max((n - 1) / 3 + 1, 2 * (n - 1) / 3)], budgets[n - 1]};
}

}  // namespace

Figure make_figure3(const StudyData& data) {
  const std::vector<std::string> subjects = row_of_schedules(data);
  if (subjects.size() < kPanelsInRow) {
    refuse_figure(
        data, "3",
        fmt::format("runs with the measure grad-norm of four schedules beside linear, for example "
                    "step-d2, cosine, cut(exp(0.97)) and const (it has {}{})",
                    subjects.size(), subjects.empty() ? "" : fmt::format(": {}", fmt::join(subjects, ", "))));
  }
  const std::vector<double> budgets = budgets_of(data, kLinear, kGradNorm);
  if (budgets.size() < 3) {
    refuse_figure(
        data, "3",
        fmt::format("runs of linear with the measure grad-norm at three budgets or more (it has {})",
                    budgets.size()));
  }
  Figure figure{"3", "Full gradient norm and learning rate", "", kPanelsInRow, {}};
  for (const std::string& subject : subjects) {
    const double budget = budgets_of(data, subject, kGradNorm).back();
    figure.panels.push_back(norm_and_lr(runs_at(data, subject, budget, kGradNorm),
                                        panel_title(figure.panels.size(), title_of(subject, budget))));
  }
  for (const double budget : three_of(budgets)) {
    figure.panels.push_back(norm_and_lr(runs_at(data, kLinear, budget, kGradNorm),
                                        panel_title(figure.panels.size(), title_of(kLinear, budget))));
  }
  figure.panels.push_back(across_budgets(
      data, kLinear, panel_title(figure.panels.size(), "linear at every budget"), kGradNorm, "‖g*‖"));
  figure.text = fmt::format(
      "Norm of the full gradient (colour, left axis) and learning rate (black, right axis) along training. "
      "First row: different schedules. Second row: linear at several budgets, and all of them against "
      "progress. {}.{}",
      data.caption, gradient_note(data));
  return figure;
}

}  // namespace glidepath
