// src/measure/gradients.cpp - the gradient of the mean loss over a whole data set, of any module.
#include "glidepath/gradients.h"

#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "measure/gradient_kernels.h"

namespace glidepath {
namespace {

double squared(const torch::Tensor& sum) { return sum.dot(sum).item<double>(); }

torch::Tensor flat(const torch::Tensor& dense) { return dense.detach().as_strided({dense.numel()}, {1}); }

void check(const NamedTensors& parameters) {
  if (parameters.empty()) throw InputError("full gradient: there is no parameter that is trained");
  for (const auto& [name, parameter] : parameters) {
    const bool fits = parameter.defined() && parameter.is_floating_point() && parameter.requires_grad() &&
                      parameter.is_non_overlapping_and_dense();
    if (!fits) {
      throw InputError(
          fmt::format("full gradient: the parameter \"{}\" must be a dense floating-point tensor that "
                      "requires a gradient",
                      name));
    }
  }
}

}  // namespace

Tensors gradients_of(const Tensors& parameters) {
  Tensors gradients;
  for (const torch::Tensor& parameter : parameters) gradients.push_back(parameter.grad());
  return in_order_of(std::move(gradients), parameters);
}

Tensors gradients_of(const torch::Tensor& loss, const Tensors& parameters) {
  if (!loss.defined() || loss.numel() != 1 || !loss.requires_grad())
    throw InputError("gradient: the loss must be one number that depends on the parameters");
  return in_order_of(torch::autograd::grad({loss}, parameters, {}, c10::nullopt, false, true), parameters);
}

GradientSum::GradientSum(NamedTensors parameters, std::int64_t examples)
    : named_(std::move(parameters)), expected_(std::max<std::int64_t>(examples, 1)) {
  check(named_);
  for (const auto& named : named_) {
    const torch::Tensor& parameter = named.second;
    parameters_.push_back(parameter);
    sum_.gradients.push_back(
        torch::zeros({parameter.numel()}, parameter.options().dtype(torch::kFloat64).requires_grad(false)));
  }
}

void GradientSum::add(const torch::Tensor& mean_loss, std::int64_t examples) {
  if (examples < 1) throw InputError(fmt::format("full gradient: a batch of {} examples", examples));
  const double weight = static_cast<double>(examples) / static_cast<double>(expected_);
  add_scaled(sum_.gradients, gradients_of(mean_loss, parameters_), weight);
  sum_.mean_loss += weight * mean_loss.item<double>();
  seen_ += examples;
}

FullGradient GradientSum::finish(double weight_decay, bool decay_norm_bias) {
  const at::NoGradGuard no_grad;
  if (seen_ == 0) throw InputError("full gradient: there is no batch");
  if (seen_ != expected_) {
    const double share = static_cast<double>(expected_) / static_cast<double>(seen_);
    for (torch::Tensor& gradient : sum_.gradients) gradient.mul_(share);
    sum_.mean_loss *= share;
  }
  sum_.examples = seen_;
  double sum = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor& gradient = sum_.gradients[i];
    const bool decayed = decay_norm_bias || parameters_[i].dim() > 1;
    if (decayed && weight_decay != 0) gradient.add_(flat(parameters_[i]).to(torch::kFloat64), weight_decay);
    const double square = squared(gradient);
    sum_.norms.emplace_back(named_[i].first, std::sqrt(square));
    sum += square;
  }
  sum_.norm = std::sqrt(sum);
  seen_ = 0;
  return std::move(sum_);
}

KeepBuffers::KeepBuffers(const torch::nn::Module& module) : KeepBuffers(module.buffers()) {}

KeepBuffers::KeepBuffers(Tensors buffers) : live_(std::move(buffers)) {
  for (const torch::Tensor& buffer : live_) kept_.push_back(buffer.clone());
}

KeepBuffers::~KeepBuffers() { restore(); }

Tensors KeepBuffers::copy() const {
  Tensors copy;
  for (const torch::Tensor& buffer : live_) copy.push_back(buffer.clone());
  return copy;
}

void KeepBuffers::put(const Tensors& values) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live_.size(); ++i) live_[i].copy_(values[i]);
}

void KeepBuffers::restore() { put(kept_); }

FullGradient full_gradient(const torch::nn::Module& module,
                           const std::function<std::optional<BatchLoss>()>& next, double weight_decay,
                           bool decay_norm_bias) {
  const at::AutoGradMode grad(true);
  KeepBuffers buffers(module);
  GradientSum sum(named_parameters(module));
  while (const auto batch = next()) {
    sum.add(batch->loss, batch->examples);
    buffers.restore();
  }
  return sum.finish(weight_decay, decay_norm_bias);
}

}  // namespace glidepath
