// src/task/own_task.cpp - a task from functions.
#include <utility>

#include <torch/types.h>

#include "glidepath/task.h"

namespace glidepath {
namespace {

class OwnTask : public Task {
 public:
  OwnTask(BatchFunction loss, BatchFunction correct, std::vector<Metric> metrics)
      : loss_(std::move(loss)), correct_(std::move(correct)), metrics_(std::move(metrics)) {}

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return loss_(outputs, batch);
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    return correct_ ? correct_(outputs, batch) : torch::Tensor();
  }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  BatchFunction loss_, correct_;
  std::vector<Metric> metrics_;
};

}  // namespace

const std::vector<Metric>& Task::metrics() const {
  static const std::vector<Metric> none;
  return none;
}

std::vector<torch::Tensor> Task::metric_sums(const Values& outputs, const Batch& batch) const {
  std::vector<torch::Tensor> sums;
  for (const Metric& metric : metrics())
    sums.push_back(metric.sums ? metric.sums(outputs, batch) : torch::Tensor());
  return sums;
}

std::unique_ptr<Task> make_task(BatchFunction loss, BatchFunction correct) {
  std::vector<Metric> metrics;
  if (correct) metrics.push_back(accuracy());
  return std::make_unique<OwnTask>(std::move(loss), std::move(correct), std::move(metrics));
}

std::unique_ptr<Task> make_task(BatchFunction loss, std::vector<Metric> metrics) {
  return std::make_unique<OwnTask>(std::move(loss), BatchFunction(), std::move(metrics));
}

}  // namespace glidepath
