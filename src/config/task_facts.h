// src/config/task_facts.h - what there is to train for by name, and the numbers that it is told in; without
// torch.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

struct TaskFacts {
  std::string name;
  std::string score;  ///< its first metric
};

/// Those of --task, but for auto and own.
const std::vector<TaskFacts>& task_facts();

struct MetricFacts {
  std::string name;
  std::string what;  ///< in words
  bool higher_is_better, is_share;
};

/// Of these tasks, accuracy left out: what summaries and stores have as test_NAME.
const std::vector<MetricFacts>& metric_facts();

/// How good weights are, by the name that summaries have it under ("val_mean_iou", "test_loss_running"):
/// nothing for one that says nothing of that.
struct ScoreKind {
  bool higher_is_better, is_share;
};
std::optional<ScoreKind> score_kind(const std::string& name);

}  // namespace glidepath
