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

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const TaskFacts& task : task_facts()) names.push_back(task.name);
  return names;
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

const ScoreKind* score_kind(const std::string& name) {
  static constexpr ScoreKind kShare{true, true}, kLower{false, false}, kHigher{true, false},
      kErrorShare{false, true};
  const auto has = [&](const std::string& part) { return name.find("_" + part) != std::string::npos; };
  for (const MetricFacts& metric : metric_facts()) {
    if (!has(metric.name)) continue;
    return metric.higher_is_better ? (metric.is_share ? &kShare : &kHigher)
                                   : (metric.is_share ? &kErrorShare : &kLower);
  }
  if (has("accuracy")) return &kShare;
  return has("loss") ? &kLower : nullptr;
}

}  // namespace glidepath
