// src/optim/optimizer.cpp - what all optimizers have in common.
#include "glidepath/optimizer.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

bool is_dense_float_on_cpu(const torch::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32 && tensor.is_non_overlapping_and_dense();
}

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters, std::vector<std::string> state_names,
                     double weight_decay, bool decay_norm_bias)
    : state_names_(std::move(state_names)),
      steps_(torch::zeros({static_cast<std::int64_t>(parameters.size())}, torch::kInt64)) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : parameters) {
    const bool decayed = decay_norm_bias || parameter.dim() > 1;
    Slot slot{name, parameter, decayed ? weight_decay : 0.0, {}};
    for (std::size_t i = 0; i < state_names_.size(); ++i) slot.state.push_back(torch::zeros_like(parameter));
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::step(double lr) {
  const at::NoGradGuard no_grad;
  auto* steps = steps_.data_ptr<std::int64_t>();
  if (updates_together() && !slots_.empty() && slots_.front().parameter.is_cuda()) {
    std::vector<const Slot*> slots;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i].parameter.grad().defined()) continue;
      ++steps[i];
      slots.push_back(&slots_[i]);
    }
    return update_together(slots, lr);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    torch::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    const std::int64_t step = ++steps[i];
    // A gradient may come in another memory format than its weight, for 1x1 convolutions for example.
    if (gradient.strides() != slot.parameter.strides() && slot.parameter.is_cpu()) {
      gradient = torch::empty_like(slot.parameter).copy_(gradient);
    }
    const bool fits = is_dense_float_on_cpu(slot.parameter) && gradient.scalar_type() == torch::kFloat32 &&
                      gradient.strides() == slot.parameter.strides() &&
                      std::all_of(slot.state.begin(), slot.state.end(), [&](const torch::Tensor& tensor) {
                        return tensor.strides() == slot.parameter.strides();
                      });
    if (fits) {
      update_in_one_pass(slot, gradient, lr, step);
    } else {
      update_with_operators(slot, gradient, lr, step);
    }
  }
}

void Optimizer::drop_gradients() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

std::vector<torch::Tensor> Optimizer::gradients() const {
  std::vector<torch::Tensor> gradients;
  for (const Slot& slot : slots_) {
    if (slot.parameter.grad().defined()) gradients.push_back(slot.parameter.grad());
  }
  return gradients;
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (std::size_t i = 0; i < state_names_.size(); ++i) {
    for (const Slot& slot : slots_) state.emplace_back(state_names_[i] + "." + slot.name, slot.state[i]);
  }
  if (saves_steps()) state.emplace_back("steps", steps_);
  return state;
}

void Optimizer::set_state(const TensorMap& saved) {
  const at::NoGradGuard no_grad;
  NamedTensors own = state();
  for (const auto& [name, tensor] : own) {
    const auto found = saved.find(name);
    if (found == saved.end()) throw InputError(fmt::format("optimizer's state: has no \"{}\"", name));
    if (found->second.sizes() != tensor.sizes())
      throw InputError(fmt::format("optimizer's state: \"{}\" has another shape than its parameter", name));
  }
  for (auto& [name, tensor] : own) tensor.copy_(saved.at(name));
}

std::vector<torch::Tensor> Optimizer::rate_factors() const {
  const at::NoGradGuard no_grad;
  std::vector<torch::Tensor> factors;
  const auto* steps = steps_.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (steps[i] > 0 || !saves_steps()) factors.push_back(rate_factor(slots_[i], steps[i]));
  }
  return factors;
}

}  // namespace glidepath
