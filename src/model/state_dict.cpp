// src/model/state_dict.cpp - a model's parameters and buffers by their names, out and in.
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/model.h"

namespace glidepath {
namespace {

std::string shape_text(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

void require_fit(const TensorMap& own, const TensorMap& given) {
  for (const auto& [name, tensor] : own) {
    const auto found = given.find(name);
    if (found == given.end()) {
      throw InputError(fmt::format("weights: \"{}\" is missing; they are of another model", name));
    }
    if (found->second.sizes() != tensor.sizes()) {
      throw InputError(fmt::format("weights: \"{}\" has the shape {}, this model's is {}", name,
                                   shape_text(found->second), shape_text(tensor)));
    }
  }
  for (const auto& item : given) {
    if (own.count(item.first) == 0) {
      throw InputError(
          fmt::format("weights: \"{}\" is none of this model's; they are of another model", item.first));
    }
  }
}

}  // namespace

TensorMap state_dict(const Model& model) {
  TensorMap tensors;
  for (const auto& [name, tensor] : model.named_parameters()) tensors[name] = tensor.detach();
  for (const auto& [name, tensor] : model.named_buffers()) tensors[name] = tensor;
  return tensors;
}

std::uint64_t most_weight_bytes(const Model& model) {
  constexpr std::uint64_t kWidest = 8, kBeside = std::uint64_t{1} << 20;
  std::uint64_t numbers = 0;
  for (const auto& item : state_dict(model)) numbers += static_cast<std::uint64_t>(item.second.numel());
  return kWidest * numbers + kBeside;
}

void load_state_dict(Model& model, const TensorMap& tensors) {
  TensorMap own = state_dict(model);
  require_fit(own, tensors);
  const at::NoGradGuard no_grad;
  for (auto& [name, tensor] : own) tensor.copy_(tensors.at(name));
}

}  // namespace glidepath
