// src/evaluation/fresh_statistics.cpp - batch norm's statistics, estimated anew after training.
#include "evaluation/fresh_statistics.h"

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "evaluation/forward.h"

namespace glidepath {

FreshStatistics::FreshStatistics(Model& model) : model_(model) {
  const at::NoGradGuard no_grad;
  for (const RunningStatistics& norm : model.running_statistics()) {
    RunningStatistics before = norm;
    for (torch::Tensor* each : {&before.mean, &before.variance, &before.batches}) *each = each->clone();
    norms_.push_back({norm, before});
  }
}

FreshStatistics::~FreshStatistics() {
  const at::NoGradGuard no_grad;
  for (const Norm& norm : norms_) {
    norm.live.set_momentum(norm.before.momentum);
    norm.live.mean.copy_(norm.before.mean);
    norm.live.variance.copy_(norm.before.variance);
    norm.live.batches.copy_(norm.before.batches);
  }
}

// The moving average with the momentum n / (images so far) is the mean over all images.
void FreshStatistics::add(const Batch& batch, const ComputePlan& plan) {
  const std::int64_t count = batch.examples;
  if (count == 0) return;
  images_ += count;
  for (const Norm& norm : norms_)
    norm.live.set_momentum(static_cast<double>(count) / static_cast<double>(images_));
  const at::NoGradGuard no_grad;
  outputs_of(model_, batch.inputs, plan);
  for (const Norm& norm : norms_) {
    norm.live.set_momentum(norm.before.momentum);
    norm.live.batches.copy_(norm.before.batches);
  }
}

bool has_running_statistics(Model& model) { return !model.running_statistics().empty(); }

}  // namespace glidepath
