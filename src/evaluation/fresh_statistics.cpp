// src/evaluation/fresh_statistics.cpp - batch norm's statistics, estimated anew after training.
#include "evaluation/fresh_statistics.h"

#include <torch/utils.h>

#include "evaluation/forward.h"

namespace glidepath {
namespace {

std::vector<std::shared_ptr<torch::nn::BatchNorm2dImpl>> norms_of(const Model& model) {
  std::vector<std::shared_ptr<torch::nn::BatchNorm2dImpl>> norms;
  for (const auto& module : model.modules(/*include_self=*/false)) {
    const auto norm = std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(module);
    if (norm && norm->running_mean.defined() && norm->options.momentum().has_value()) norms.push_back(norm);
  }
  return norms;
}

}  // namespace

FreshStatistics::FreshStatistics(Model& model) : model_(model) {
  const torch::NoGradGuard no_grad;
  for (const auto& norm : norms_of(model)) {
    norms_.push_back({norm, *norm->options.momentum(), norm->running_mean.clone(), norm->running_var.clone(),
                      norm->num_batches_tracked.clone()});
  }
}

FreshStatistics::~FreshStatistics() {
  const torch::NoGradGuard no_grad;
  for (const Norm& norm : norms_) {
    norm.module->options.momentum(norm.momentum);
    norm.module->running_mean.copy_(norm.mean);
    norm.module->running_var.copy_(norm.variance);
    norm.module->num_batches_tracked.copy_(norm.batches);
  }
}

// The moving average with the momentum n / (images so far) is the mean over all images.
void FreshStatistics::add(const Batch& batch, const ComputePlan& plan) {
  const std::int64_t count = batch.examples;
  if (count == 0) return;
  images_ += count;
  for (const Norm& norm : norms_)
    norm.module->options.momentum(static_cast<double>(count) / static_cast<double>(images_));
  const torch::NoGradGuard no_grad;
  outputs_of(model_, batch.images(), plan);
  for (const Norm& norm : norms_) {
    norm.module->options.momentum(norm.momentum);
    norm.module->num_batches_tracked.copy_(norm.batches);
  }
}

bool has_running_statistics(const Model& model) { return !norms_of(model).empty(); }

}  // namespace glidepath
