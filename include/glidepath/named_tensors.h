// include/glidepath/named_tensors.h - tensors with names, in an order of their own.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace torch {
namespace nn {
class Module;
}  // namespace nn
}  // namespace torch

namespace glidepath {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// The parameters of any module that are trained (requires_grad), under the names that its
/// named_parameters() has, in that order. They are the live ones, not copies.
NamedTensors named_parameters(const torch::nn::Module& module);

}  // namespace glidepath
