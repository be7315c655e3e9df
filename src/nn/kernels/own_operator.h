// src/nn/kernels/own_operator.h - what operators of our own that autograd knows have in common.
#pragma once
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {

/// Whether our kernels have loops for the tensor's numbers: float32 and bfloat16.
inline bool has_kernels_for(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16;
}

/// Throws RunError(what) in a backward pass that is itself to be differentiated.
inline void refuse_second_derivative(const char* what) {
  if (at::GradMode::is_enabled()) throw RunError(what);
}

}  // namespace glidepath
