// src/report/figures/figures.h - the paper's figures (Li et al., ICLR 2020) from a study's runs, as data; no
// drawing.
#pragma once
#include <string>

#include "report/figures/chart.h"
#include "report/study_data.h"

namespace glidepath {

// Each throws InputError that says which runs or measures are missing.

/// Accuracy against budget, and relative to one schedule's at the largest, with the trade-off of that one.
/// Budgets in percent or in one other unit stand as they are, those in several units by the time spent.
Figure make_figure1(const StudyData& data);
/// Every schedule against progress; linear, or another that was run, at each budget against updates.
Figure make_figure2(const StudyData& data);
/// Full gradient norm and learning rate: four schedules, one of them cut where it is still high if the study
/// has one; linear at three budgets, and at all of them against progress.
Figure make_figure3(const StudyData& data);
/// AMSGrad against linear: training loss at every budget; gradient norm and effective learning rate.
Figure make_figure4(const StudyData& data);
/// SGDR against linear: training loss along training; gradient norm and learning rate.
Figure make_figure5(const StudyData& data);
/// Adaptive optimizers against linear at each budget.
Figure make_figure_a(const StudyData& data);
/// SGDR off the shelf and with restarts fitted to the budget, against linear.
Figure make_figure_b(const StudyData& data);
/// Step decay and linear: training loss and validation accuracy.
Figure make_figure_c(const StudyData& data);
/// Weight norm along the runs of figures 3 and 5.
Figure make_figure_d(const StudyData& data);
/// The online estimate of the gradient norm with its standard error against the exact norm.
Figure make_figure_estimate(const StudyData& data);

/// One of figure_ids().
Figure make_figure(const std::string& id, const StudyData& data);

/// "fig3" and "figA"; "estimate" as it is.
std::string figure_file_name(const std::string& id);

}  // namespace glidepath
