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
    if (norm.live.set_momentum) norm.live.set_momentum(norm.before.momentum);
    norm.live.mean.copy_(norm.before.mean);
    norm.live.variance.copy_(norm.before.variance);
    norm.live.batches.copy_(norm.before.batches);
  }
}

// The moving average with the momentum n / (images so far) is the mean over all images. Where the momentum m
// is what it is, a pass from zeros leaves m times the batch's own.
void FreshStatistics::add(const Batch& batch, const ComputePlan& plan) {
  const std::int64_t count = batch.examples;
  if (count == 0) return;
  images_ += count;
  const double share = static_cast<double>(count) / static_cast<double>(images_);
  const at::NoGradGuard no_grad;
  std::vector<torch::Tensor> reached;
  for (const Norm& norm : norms_) {
    if (norm.live.set_momentum) {
      norm.live.set_momentum(share);
      continue;
    }
    for (const torch::Tensor& each : {norm.live.mean, norm.live.variance}) {
      reached.push_back(each.clone());
      each.zero_();
    }
  }
  outputs_of(model_, inputs_of(model_, batch), plan);
  auto before = reached.begin();
  for (const Norm& norm : norms_) {
    if (norm.live.set_momentum) {
      norm.live.set_momentum(norm.before.momentum);
    } else {
      for (const torch::Tensor& each : {norm.live.mean, norm.live.variance}) {
        each.div_(norm.before.momentum);
        each.copy_(before->lerp(each, share));
        ++before;
      }
    }
    norm.live.batches.copy_(norm.before.batches);
  }
}

bool has_running_statistics(Model& model) { return !model.running_statistics().empty(); }

}  // namespace glidepath
