// src/evaluation/forward.cpp - a model's outputs, as training, tests and measures all compute them.
#include "evaluation/forward.h"

#include <limits>

#include <torch/types.h>

#include "nn/kernels/conv_guard.h"

namespace glidepath {

Values outputs_of(Model& model, const Values& inputs, const ComputePlan& plan) {
  const AutocastGuard autocast(plan);
  const ConvGuard conv(plan.conv);
  Values outputs = model.forward(inputs);
  for (torch::Tensor& each : outputs) {
    if (each.is_floating_point()) each = each.to(torch::kFloat32);
  }
  return outputs;
}

torch::Tensor right_of(const Task& task, const Values& outputs, const Batch& batch) {
  const torch::Tensor right = task.correct(outputs, batch);
  return right.defined() ? right : torch::scalar_tensor(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace glidepath
