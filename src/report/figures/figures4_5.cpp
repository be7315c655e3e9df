// src/report/figures/figures4_5.cpp - figures 4 and 5: AMSGrad and SGDR against linear.
#include <fmt/format.h>

#include "report/figures/figure_parts.h"
#include "report/figures/figures.h"

namespace glidepath {
namespace {

constexpr const char* kEffective = "effective_lr_median";

/// AMSGrad's gradient norm, and the learning rate that its parameters see.
Panel effective_panel(const SeedRuns& runs) {
  Panel panel = norm_and_lr(runs, panel_title(1, runs.front()->subject));
  panel.right_label = "effective learning rate β";
  panel.log_right = true;
  panel.series.pop_back();  // base_lr, constant
  Series median = measure_along(runs, kEffective, Along::kEpochs);
  median.name = "β, median over parameters";
  const auto as_rate = [&](Series series) {
    series.subject = "lr";
    series.right_axis = true;
    series.budget = runs.front()->budget;
    return series;
  };
  panel.series.push_back(as_rate(median));
  for (const char* quantile : {"q05", "q95"}) {
    Series line = measure_along(runs, std::string("effective_lr_") + quantile, Along::kEpochs);
    if (line.x.empty()) continue;
    line.name = "β, 5 and 95 % of parameters";
    line.style = LineStyle::kDotted;
    line.spread.clear();
    panel.series.push_back(as_rate(line));
  }
  return panel;
}

}  // namespace

Figure make_figure4(const StudyData& data) {
  const std::string amsgrad = "amsgrad";
  const std::vector<double> measured = budgets_of(data, amsgrad, kEffective);
  if (measured.empty()) {
    refuse_figure(data, "4",
                  "runs of amsgrad at a constant rate with the measures grad-norm and effective-lr");
  }
  const double budget = measured.back();
  const SeedRuns adaptive = runs_at(data, amsgrad, budget, kEffective);
  const SeedRuns linear = runs_at(data, kLinear, budget, kGradNorm);
  require(runs_at(data, amsgrad, budget, kGradNorm), data, "4",
          "a run of amsgrad with the measure grad-norm");
  require(linear, data, "4",
          fmt::format("a run of linear at {} with the measure grad-norm", budget_name(budget)));
  Panel loss = budget_panel("(a) training loss", "training loss");
  for (const std::string& subject : {amsgrad, std::string(kLinear)})
    loss.series.push_back(against_budget(data, subject, train_loss));
  return {"4",
          "AMSGrad against linear",
          fmt::format("(a) Training loss over the last epoch at every budget. (b) AMSGrad at {0}: the full "
                      "gradient norm and the effective learning rate, what the optimizer multiplies each "
                      "parameter's momentum with. (c) SGD with the linear schedule. {1}.{2}",
                      budget_name(budget), data.caption, gradient_note(data)),
          3,
          {loss, effective_panel(adaptive), norm_and_lr(linear, panel_title(2, "SGD, linear"))}};
}

Figure make_figure5(const StudyData& data) {
  const double budget = full_budget(data);
  Panel loss;
  loss.title = "(a) training loss";
  loss.x_label = "epochs";
  loss.y_label = "training loss";
  loss.log_y = true;
  std::vector<SeedRuns> sgdr;
  for (const std::string& subject : sgd_subjects(data, "sgdr")) {
    const SeedRuns runs = runs_at(data, subject, budget, kGradNorm);
    if (!runs.empty()) sgdr.push_back(runs);
  }
  if (sgdr.empty()) {
    refuse_figure(data, "5",
                  fmt::format("a run of sgdr-r2 or sgdr(T0,Tmult) at {} with the measure grad-norm",
                              budget_name(budget)));
  }
  const SeedRuns linear = runs_at(data, kLinear, budget, kGradNorm);
  require(linear, data, "5",
          fmt::format("a run of linear at {} with the measure grad-norm", budget_name(budget)));
  std::vector<SeedRuns> all = sgdr;
  all.push_back(linear);
  for (const SeedRuns& runs : all) {
    loss.series.push_back(training_loss_along(runs, Along::kEpochs));
    loss.series.back().name = loss.series.back().subject = runs.front()->subject;
  }
  Figure figure{
      "5",
      "SGDR against linear",
      fmt::format("(a) Training loss along training at {}, of the whole training set at the weights "
                  "of the moment where it was measured. Then: full gradient norm (colour, left axis) "
                  "and learning rate (black, right axis). {}.{}",
                  budget_name(budget), data.caption, gradient_note(data)),
      1 + sgdr.size(),
      {loss}};
  for (const SeedRuns& runs : sgdr)
    figure.panels.push_back(norm_and_lr(runs, panel_title(figure.panels.size(), runs.front()->subject)));
  return figure;
}

}  // namespace glidepath
