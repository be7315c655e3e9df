// src/evaluation/evaluate.cpp - loss and accuracy of a model on a split.
#include "evaluation/evaluate.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "compute/device_batches.h"
#include "evaluation/forward.h"
#include "glidepath/error.h"
#include "glidepath/loader.h"
#include "model/in_mode.h"

namespace glidepath {
namespace {

/// The metrics of a task over a split, on the device until they are read.
class MetricSums {
 public:
  MetricSums(const Task& task, const torch::Device& device) : task_(task) {
    for (const Metric& metric : task.metrics()) {
      sums_.push_back(torch::zeros({metric.size}, torch::TensorOptions(device).dtype(torch::kFloat64)));
    }
  }
  void add(const Values& outputs, const Batch& batch) {
    const std::vector<torch::Tensor> of_batch = task_.metric_sums(outputs, batch);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      if (of_batch[i].defined()) sums_[i] += of_batch[i];
    }
  }
  void add_up(const Ranks& ranks) {
    for (torch::Tensor& sums : sums_) {
      sums = sums.to(torch::kCPU);
      if (sums.numel() > 0) ranks.add_up(sums);
    }
  }
  std::vector<double> values(double loss, double accuracy) const {
    std::vector<double> values;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const Metric& metric = task_.metrics()[i];
      values.push_back(metric.value ? metric.value(sums_[i], loss) : accuracy);
    }
    return values;
  }

 private:
  const Task& task_;
  std::vector<torch::Tensor> sums_;
};

}  // namespace

ToldMetric told_metric(const Metric& metric, double value) {
  return {metric.name, value, metric.higher_is_better, metric.is_share};
}

bool is_better(const Task& task, const Evaluation& one, const Evaluation& other) {
  if (task.metrics().empty() || one.metrics.empty() || other.metrics.empty()) {
    return std::isnan(one.accuracy) ? one.loss < other.loss : one.accuracy > other.accuracy;
  }
  const double a = one.metrics.front(), b = other.metrics.front();
  if (std::isnan(b)) return !std::isnan(a);
  return task.metrics().front().higher_is_better ? a > b : a < b;
}

Evaluation evaluate(Model& model, const Task& task, const Dataset& dataset, const Split& split,
                    std::int64_t batch_size, const ComputePlan& plan, const Ranks& ranks,
                    const std::function<void()>& between_batches, TestViews views, Confusion* confusion) {
  at::NoGradGuard no_grad;
  const InMode mode(model, false);
  const auto input_type = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  // Kept on the device: reading a number there waits for all that is queued before it.
  torch::Tensor losses = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kFloat64));
  torch::Tensor corrects = torch::zeros({}, torch::TensorOptions(plan.device).dtype(torch::kFloat64));
  MetricSums metrics(task, plan.device);
  std::int64_t terms = 0;
  const Part part = part_of(split.size(), ranks.rank(), ranks.size());
  std::optional<PlainLoader> loader;
  if (part.count > 0)
    loader.emplace(dataset, split, part.first, part.count, batch_size, input_type, plan.channels_last);
  const std::int64_t longest = part_of(split.size(), 0, ranks.size()).count;
  for (std::int64_t done = 0; done < longest; done += batch_size) {
    if (between_batches) between_batches();
    const std::optional<Batch> next = loader ? loader->next() : std::nullopt;
    if (!next || next->examples == 0) continue;  // no part of it, or none that can be decoded
    const Batch batch = on_device(*next, plan.device);
    terms += task.terms(batch);
    const Values outputs = outputs_over(views, model, inputs_of(model, batch), plan);
    losses += task.loss_sum(outputs, batch);
    corrects += right_of(task, outputs, batch);
    metrics.add(outputs, batch);
    if (confusion != nullptr) confusion->add(batch.labels(), outputs.front().argmax(1));
  }
  const auto sums = torch::tensor(
      {losses.item<double>(), corrects.item<double>(), static_cast<double>(terms)}, torch::kFloat64);
  ranks.add_up(sums);
  metrics.add_up(ranks);
  const auto* sum = sums.data_ptr<double>();
  if (sum[2] == 0)
    throw RunError(
        task.has_terms()
            ? "evaluation: the split has nothing to be tested on: no image that can be decoded, or no "
              "label"
            : "evaluation: none of the images can be decoded");
  const double loss = sum[0] / sum[2], accuracy = sum[1] / sum[2];
  return {loss, accuracy, metrics.values(loss, accuracy)};
}

}  // namespace glidepath
