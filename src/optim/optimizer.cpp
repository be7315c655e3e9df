// src/optim/optimizer.cpp - what all optimizers have in common.
#include "glidepath/optimizer.h"

#include <algorithm>
#include <map>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "optim/optimizer_parts.h"

namespace glidepath {
namespace {

bool is_dense_float_on_cpu(const torch::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32 && tensor.is_non_overlapping_and_dense();
}

}  // namespace

bool Optimizer::Parts::counts_updates() const {
  return std::any_of(rules.begin(), rules.end(), [](const auto& rule) { return rule->counts_updates(); });
}

Optimizer::Optimizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
  const at::NoGradGuard no_grad;
  for (auto& slot : parts_->slots) {
    slot.given_decay = slot.weight_decay;
    for (std::size_t i = 0; i < slot.rule->state_names().size(); ++i)
      slot.state.push_back(torch::zeros_like(slot.parameter));
    if (slot.rule->counts_averaged()) slot.averaged = torch::zeros({2}, torch::kFloat64);
  }
  parts_->steps = torch::zeros({static_cast<std::int64_t>(parts_->slots.size())}, torch::kInt64);
}

Optimizer::~Optimizer() = default;

void Optimizer::step(double lr, const std::function<double(double)>& lr_until) {
  const at::NoGradGuard no_grad;
  const auto rate_of = [&](const Slot& slot) {
    return slot.lr_until < 1 && lr_until ? lr_until(slot.lr_until) : lr;
  };
  auto* steps = parts_->steps.data_ptr<std::int64_t>();
  std::map<std::pair<const UpdateRule*, double>, std::vector<Slot*>> together;  // by rule and rate
  for (std::size_t i = 0; i < parts_->slots.size(); ++i) {
    auto& slot = parts_->slots[i];
    torch::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    const std::int64_t step = ++steps[i];
    const double rate = rate_of(slot);
    slot.lr_share = lr > 0 ? rate / lr : 1;
    if (slot.rule->updates_together() && slot.parameter.is_cuda()) {
      together[{slot.rule, rate}].push_back(&slot);
      continue;
    }
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
      slot.rule->update_in_one_pass(slot, gradient, rate * slot.lr_scale, step);
    } else {
      slot.rule->update_with_operators(slot, gradient, rate * slot.lr_scale, step);
    }
  }
  for (const auto& [alike, slots] : together) alike.first->update_together(slots, alike.second);
}

void Optimizer::set_shares(double weight_decay, double momentum) {
  for (auto& slot : parts_->slots) {
    slot.weight_decay = weight_decay * slot.given_decay;
    slot.momentum_share = momentum;
  }
}

void Optimizer::drop_gradients() {
  for (auto& slot : parts_->slots) slot.parameter.mutable_grad().reset();
}

std::vector<torch::Tensor> Optimizer::gradients() const {
  std::vector<torch::Tensor> gradients;
  for (const auto& slot : parts_->slots) {
    if (slot.parameter.grad().defined()) gradients.push_back(slot.parameter.grad());
  }
  return gradients;
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (const auto& rule : parts_->rules) {
    const std::vector<std::string> names = rule->state_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
      for (const auto& slot : parts_->slots) {
        if (slot.rule == rule.get()) state.emplace_back(names[i] + "." + slot.name, slot.state[i]);
      }
    }
  }
  for (const auto& slot : parts_->slots) {
    if (slot.averaged.defined()) state.emplace_back("averaged." + slot.name, slot.averaged);
  }
  if (parts_->counts_updates()) state.emplace_back("steps", parts_->steps);
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

TensorMap Optimizer::tested_weights() const {
  const at::NoGradGuard no_grad;
  TensorMap weights;
  const auto* steps = parts_->steps.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < parts_->slots.size(); ++i) {
    const auto& slot = parts_->slots[i];
    const torch::Tensor tested = steps[i] > 0 ? slot.rule->tested_weights(slot) : torch::Tensor();
    if (tested.defined()) weights[slot.name] = tested;
  }
  return weights;
}

std::vector<torch::Tensor> Optimizer::rate_factors() const {
  const at::NoGradGuard no_grad;
  std::vector<torch::Tensor> factors;
  const auto* steps = parts_->steps.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < parts_->slots.size(); ++i) {
    const auto& slot = parts_->slots[i];
    if (steps[i] == 0 && slot.rule->counts_updates()) continue;
    const torch::Tensor factor = slot.rule->rate_factor(slot, steps[i]);
    const double scale = slot.lr_scale * slot.lr_share;
    factors.push_back(scale == 1 ? factor : factor * scale);
  }
  return factors;
}

}  // namespace glidepath
