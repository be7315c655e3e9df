// src/report/figures/figures_a_to_d.cpp - the figures of the paper's appendix.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "report/figures/figure_parts.h"
#include "report/figures/figures.h"
#include "report/figures/palette.h"

namespace glidepath {
namespace {

Panel against_budgets(const StudyData& data, const std::vector<std::string>& subjects,
                      const std::string& title, const std::string& y_label,
                      const std::function<double(const StudyRun&)>& value) {
  Panel panel = budget_panel(title, y_label);
  for (const std::string& subject : subjects) panel.series.push_back(against_budget(data, subject, value));
  return panel;
}

Panel against_budgets(const StudyData& data, const std::vector<std::string>& subjects, char letter,
                      const ShownScore& score) {
  return against_budgets(data, subjects, fmt::format("({}) {}", letter, score.word()), score.label(),
                         [&](const StudyRun& run) { return score.of(run); });
}

/// Named by subject, against epochs.
Series named(Series series, const StudyRun& run) {
  series.name = series.subject = run.subject;
  series.budget = run.budget;
  return series;
}

Panel epochs_panel(const std::string& title, const std::string& y_label) {
  Panel panel;
  panel.title = title;
  panel.x_label = "epochs";
  panel.y_label = y_label;
  return panel;
}

/// "val_perplexity" for "test_perplexity".
std::string on_held_out(const std::string& score) { return "val_" + score.substr(score.find('_') + 1); }

bool are_tested_on_held_out(const StudyData& data, const std::vector<std::string>& subjects) {
  return std::all_of(data.runs.begin(), data.runs.end(), [&](const StudyRun& run) {
    return std::find(subjects.begin(), subjects.end(), run.subject) == subjects.end() ||
           run.record.scores.count(on_held_out(data.score)) > 0;
  });
}

}  // namespace

Figure make_figure_a(const StudyData& data) {
  std::vector<std::string> subjects = adaptive_subjects(data);
  if (subjects.empty()) {
    refuse_figure(data, "A", "runs of adagrad, rmsprop, adam or amsgrad at a constant rate");
  }
  if (budgets_of(data, kLinear).empty()) refuse_figure(data, "A", "runs of linear");
  subjects.push_back(kLinear);
  const ShownScore score(data.score);
  return {
      "A",
      "Adaptive learning rates against linear",
      fmt::format("Optimizers that adapt their learning rate, at a constant base_lr, against SGD with the "
                  "linear schedule at each budget: {} and training loss over the last epoch. "
                  "{}.",
                  score.title(), data.caption),
      2,
      {against_budgets(data, subjects, 'a', score),
       against_budgets(data, subjects, "(b) training loss", "training loss", train_loss)}};
}

Figure make_figure_b(const StudyData& data) {
  const std::vector<std::string> cut = sgd_subjects(data, "sgdr("), fitted = sgd_subjects(data, "sgdr-r");
  if (cut.empty()) refuse_figure(data, "B", "runs of sgdr(T0,Tmult), the off-the-shelf form");
  if (fitted.empty()) refuse_figure(data, "B", "runs of sgdr-r2");
  if (budgets_of(data, kLinear).empty()) refuse_figure(data, "B", "runs of linear");
  std::vector<std::string> subjects = cut;
  subjects.insert(subjects.end(), fitted.begin(), fitted.end());
  subjects.push_back(kLinear);
  Panel rates = epochs_panel("", "learning rate");
  const double budget = full_budget(data);
  rates.title = fmt::format("(b) learning rates at {}", budget_name(budget));
  for (const std::string& subject : subjects) {
    const SeedRuns runs = runs_at(data, subject, budget);
    if (runs.empty()) continue;
    rates.series.push_back(named(lr_along(*runs.front(), Along::kEpochs), *runs.front()));
    rates.series.back().right_axis = false;
  }
  const ShownScore score(data.score);
  return {"B",
          "SGDR, off the shelf and fitted to the budget",
          fmt::format("Left: {} against budget. {} counts its cycles in epochs and ends wherever "
                      "its cycle stands; {} has its restarts at even intervals of the budget. Right: their "
                      "learning rates. {}.",
                      score.title(), cut.front(), fitted.front(), data.caption),
          2,
          {against_budgets(data, subjects, 'a', score), rates}};
}

Figure make_figure_c(const StudyData& data) {
  std::string step = "step-d2";
  if (budgets_of(data, step).empty()) {
    const std::vector<std::string> others = sgd_subjects(data, "step");
    if (others.empty()) refuse_figure(data, "C", "runs of a step schedule, for example step-d2");
    step = others.front();
  }
  if (budgets_of(data, kLinear).empty()) refuse_figure(data, "C", "runs of linear");
  const std::vector<std::string> subjects = {step, kLinear};
  const bool on_val = are_tested_on_held_out(data, subjects);
  const ShownScore tested(on_val ? on_held_out(data.score) : data.score);
  Figure figure{
      "C",
      "Step decay and linear: training and validation",
      fmt::format("Training loss over the last epoch, and {} ({}), against budget and along a "
                  "run at the full one. {}.",
                  tested.title(), on_val ? "of training images held out" : "no training images were held out",
                  data.caption),
      2,
      {against_budgets(data, subjects, "(a) training loss", "training loss", train_loss),
       against_budgets(data, subjects, "(b) " + tested.title(), tested.label(),
                       [&](const StudyRun& run) { return tested.of(run); })}};
  const double budget = full_budget(data);
  Panel loss = epochs_panel(fmt::format("(c) training loss at {}", budget_name(budget)), "training loss");
  Panel accuracy =
      epochs_panel(fmt::format("(d) {} at {}", tested.title(), budget_name(budget)), tested.label());
  for (const std::string& subject : subjects) {
    const SeedRuns runs = runs_at(data, subject, budget);
    if (runs.empty()) continue;
    loss.series.push_back(named(loss_along(runs, "train", Along::kEpochs), *runs.front()));
    accuracy.series.push_back(named(accuracy_along(runs, "eval", Along::kEpochs), *runs.front()));
  }
  // Runs that are evaluated at their end alone have no curve; of other scores than accuracies none is kept.
  const auto has_curve = [](const Panel& panel) {
    return panel.series.size() == 2 && panel.series[0].x.size() > 2 && panel.series[1].x.size() > 2;
  };
  const bool has_accuracies = ShownScore(data.score).is_accuracy();
  if (!has_curve(loss) || (has_accuracies && !has_curve(accuracy))) return figure;
  figure.panels.push_back(loss);
  if (has_accuracies) figure.panels.push_back(accuracy);
  return figure;
}

Figure make_figure_d(const StudyData& data) {
  Panel schedules = epochs_panel("(a) schedules", "‖w‖"), sgdr = epochs_panel("(c) SGDR and linear", "‖w‖");
  const double full = full_budget(data);
  for (const std::string& subject : sgd_subjects(data)) {
    const std::vector<double> budgets = budgets_of(data, subject, kWeightNorm);
    if (budgets.empty()) continue;
    const SeedRuns runs = runs_at(data, subject, budgets.back(), kWeightNorm);
    Series line = named(measure_along(runs, kWeightNorm, Along::kEpochs), *runs.front());
    if (cut_of(subject)) line.style = LineStyle::kDashed;
    const bool is_sgdr = subject.compare(0, 4, "sgdr") == 0;
    if (!is_sgdr) schedules.series.push_back(line);
    if ((is_sgdr || subject == kLinear) && budgets.back() == full) sgdr.series.push_back(line);
  }
  if (budgets_of(data, kLinear, kWeightNorm).empty()) {
    refuse_figure(data, "D", "runs of linear and other schedules with the measure weight-norm");
  }
  Figure figure{"D",
                "Weight norm",
                fmt::format("Norm of all weights along the runs of figure 3 (a, b) and figure 5 (c). {}.",
                            data.caption),
                2,
                {schedules, across_budgets(data, kLinear, "(b) linear at every budget", kWeightNorm, "‖w‖")}};
  if (sgdr.series.size() > 1) {
    figure.columns = 3;
    figure.panels.push_back(sgdr);
  }
  return figure;
}

Figure make_figure_estimate(const StudyData& data) {
  Figure figure{
      "estimate",
      "Gradient norm for free: the online estimate against the exact norm",
      fmt::format("Exact: the gradient of the whole training set at fixed weights. Estimate: from the "
                  "batches that training computes anyway; its band is one standard error. {}.",
                  data.caption),
      1,
      {}};
  for (const std::string& subject : sgd_subjects(data)) {
    const std::vector<double> budgets = budgets_of(data, subject, "grad_norm_estimate");
    if (budgets.empty() || figure.panels.size() == 4) continue;
    const SeedRuns runs = runs_at(data, subject, budgets.back(), "grad_norm_estimate");
    Series exact = measure_along(runs, kGradNorm, Along::kEpochs);
    if (exact.x.empty()) continue;
    Panel panel = epochs_panel(
        panel_title(figure.panels.size(), fmt::format("{}, {}", subject, budget_name(budgets.back()))),
        "‖g*‖");
    Series estimate = measure_along(runs, "grad_norm_estimate", Along::kEpochs, "grad_norm_estimate_error");
    exact.name = "exact ‖g*‖";
    estimate.name = "online estimate";
    estimate.subject = "estimate";
    estimate.style = LineStyle::kDashed;
    estimate.budget = exact.budget = budgets.back();
    exact.subject = "exact";
    panel.log_y = true;  // both fall over decades
    panel.series = {exact, estimate};
    figure.panels.push_back(panel);
  }
  if (figure.panels.empty()) {
    refuse_figure(data, "estimate", "runs with the measures grad-norm and grad-norm-online");
  }
  figure.columns = std::min<std::size_t>(2, figure.panels.size());
  return figure;
}

}  // namespace glidepath
