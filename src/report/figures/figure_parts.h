// src/report/figures/figure_parts.h - panels that several figures have.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "report/figures/chart.h"
#include "report/figures/series.h"

namespace glidepath {

inline constexpr const char* kGradNorm = "grad_norm";
inline constexpr const char* kWeightNorm = "weight_norm";
inline constexpr const char* kLinear = "linear";

/// "study "a": figure 3 needs ...; it has no finished run of them".
[[noreturn]] void refuse_figure(const StudyData& data, const std::string& id, const std::string& needed);

/// Throws refuse_figure's error unless `runs` has one.
void require(const SeedRuns& runs, const StudyData& data, const std::string& id, const std::string& needed);

/// Title and axes of a panel against budget.
Panel budget_panel(const std::string& title, const std::string& y_label);

/// A measure in the subject's colour on the left, the learning rate in black on the right, against epochs.
Panel norm_and_lr(const SeedRuns& runs, const std::string& title, const std::string& measure = kGradNorm,
                  const std::string& name = "‖g*‖");

/// A measure of one subject at each of its budgets, against progress.
Panel across_budgets(const StudyData& data, const std::string& subject, const std::string& title,
                     const std::string& measure, const std::string& y_label);

/// Of which loss the full gradients of a study are, and with which statistics of batch norm: a sentence with
/// a space before it; "" where none was measured, or runs differ.
std::string gradient_note(const StudyData& data);

/// Subjects that are trained by SGD and whose text begins with `prefix`.
std::vector<std::string> sgd_subjects(const StudyData& data, const std::string& prefix = "");

/// Optimizers but SGD, each at a constant rate: "adam", ...
std::vector<std::string> adaptive_subjects(const StudyData& data);

}  // namespace glidepath
