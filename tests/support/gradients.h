// tests/support/gradients.h - what autograd says of a tensor.
#pragma once
#include <string>

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

namespace glidepath {

inline torch::Tensor gradient_of(const torch::Tensor& y, const torch::Tensor& x, const torch::Tensor& dy) {
  return torch::autograd::grad({y}, {x}, {dy})[0];
}

/// How the node is called that made a tensor.
inline std::string made_by(const torch::Tensor& y) { return y.grad_fn() ? y.grad_fn()->name() : ""; }

}  // namespace glidepath
