// tests/support/models.h - models looked at.
#pragma once
#include <stdexcept>
#include <string>

#include <torch/types.h>

#include "glidepath/model.h"

namespace glidepath {

/// The first output for one input.
inline torch::Tensor outputs_for(Model& model, const torch::Tensor& images) {
  return model.forward({images}).front();
}

inline torch::Tensor tensor_named(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [each, tensor] : tensors) {
    if (each == name) return tensor;
  }
  throw std::out_of_range(name);
}

}  // namespace glidepath
