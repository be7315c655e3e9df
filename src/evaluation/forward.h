// src/evaluation/forward.h - a model's outputs, as training, tests and measures all compute them.
#pragma once
#include "compute/device.h"
#include "glidepath/models.h"

namespace glidepath {

/// In the precision of the plan; float32. `images` are on its device.
inline torch::Tensor outputs_of(Model& model, const torch::Tensor& images, const ComputePlan& plan) {
  const AutocastGuard autocast(plan);
  return model.forward(images).to(torch::kFloat32);
}

}  // namespace glidepath
