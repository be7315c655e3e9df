// src/report/figures/figure_parts.h - panels that several figures have.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "config/task_facts.h"
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

/// A number that says how good a run is ("test_perplexity"), as figures show it.
class ShownScore {
 public:
  /// `name`: one that score_kind() knows.
  explicit ShownScore(const std::string& name);
  /// Shares in percent; NaN where the run has none.
  double of(const StudyRun& run) const;
  bool is_accuracy() const { return name_ == "test_accuracy"; }
  bool higher_is_better() const { return kind_.higher_is_better; }
  std::string title() const;  ///< "test perplexity", "test accuracy"
  std::string word() const;   ///< the same, but "accuracy" of the commonest
  std::string label() const;  ///< of an axis: title() and what it is in

 private:
  std::string name_;
  ScoreKind kind_;
};

/// Subjects that are trained by SGD and whose text begins with `prefix`.
std::vector<std::string> sgd_subjects(const StudyData& data, const std::string& prefix = "");

/// Optimizers but SGD, each at a constant rate: "adam", ...
std::vector<std::string> adaptive_subjects(const StudyData& data);

}  // namespace glidepath
