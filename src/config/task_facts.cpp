// src/config/task_facts.cpp - what there is to train for by name, and the numbers that it is told in.
#include "config/task_facts.h"

namespace glidepath {

const std::vector<TaskFacts>& task_facts() {
  static const std::vector<TaskFacts> facts = {{"classify", "accuracy"},
                                               {"multilabel", "mean_f1"},
                                               {"regress", "rmse"},
                                               {"segment", "mean_iou"},
                                               {"language", "perplexity"}};
  return facts;
}

const std::vector<MetricFacts>& metric_facts() {
  static const std::vector<MetricFacts> facts = {
      {"mean_iou", "mean intersection over union", true, true},
      {"perplexity", "perplexity", false, false},
      {"rmse", "root mean squared error", false, false},
      {"mean_f1", "mean F1 over the classes", true, true},
      {"top5_accuracy", "top-5 accuracy", true, true},
      {"bits_per_byte", "bits per byte", false, false},
      {"mae", "mean absolute error", false, false},
  };
  return facts;
}

std::optional<ScoreKind> score_kind(const std::string& name) {
  const auto has = [&](const std::string& part) { return name.find("_" + part) != std::string::npos; };
  for (const MetricFacts& metric : metric_facts()) {
    if (has(metric.name)) return ScoreKind{metric.higher_is_better, metric.is_share};
  }
  if (has("accuracy")) return ScoreKind{true, true};
  if (has("loss")) return ScoreKind{false, false};
  return std::nullopt;
}

}  // namespace glidepath
