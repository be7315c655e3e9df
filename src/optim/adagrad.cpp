// src/optim/adagrad.cpp - Adagrad and RMSprop: gradients divided by the root of their squares, summed or
// averaged.
#include "optim/adagrad.h"

#include <torch/types.h>

#include "nn/kernels/parallel.h"
#include "optim/optimizer_kernels.h"

namespace glidepath {

ScaledBySquares::ScaledBySquares(const NamedTensors& parameters, const char* state_name, double keep,
                                 double add, double eps, double weight_decay, bool decay_norm_bias)
    : Optimizer(parameters, {state_name}, weight_decay, decay_norm_bias), keep_(keep), add_(add), eps_(eps) {}

void ScaledBySquares::update_in_one_pass(const Slot& slot, const torch::Tensor& gradient, double lr,
                                         std::int64_t /*step*/) {
  const SquaresRule rule{static_cast<float>(lr), static_cast<float>(slot.weight_decay),
                         static_cast<float>(keep_), static_cast<float>(add_), static_cast<float>(eps_)};
  auto* w = slot.parameter.data_ptr<float>();
  const auto* g = gradient.data_ptr<float>();
  auto* s = slot.state[0].data_ptr<float>();
  parallel_ranges(slot.parameter.numel(), kUpdateGrain, [&](std::int64_t begin, std::int64_t end) {
    squares_update(w + begin, g + begin, s + begin, end - begin, rule);
  });
}

void ScaledBySquares::update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                            std::int64_t /*step*/) {
  const torch::Tensor g = slot.weight_decay != 0 ? gradient.add(slot.parameter, slot.weight_decay) : gradient;
  torch::Tensor& s = slot.state[0];
  s.mul_(keep_).addcmul_(g, g, add_);
  slot.parameter.addcdiv_(g, s.sqrt().add_(eps_), -lr);
}

torch::Tensor ScaledBySquares::rate_factor(const Slot& slot, std::int64_t /*step*/) const {
  return slot.state[0].sqrt().add_(eps_).reciprocal_();
}

Adagrad::Adagrad(const NamedTensors& parameters, const AdagradOptions& options)
    : ScaledBySquares(parameters, "sum", 1, 1, options.eps, options.weight_decay, options.decay_norm_bias) {}

RMSprop::RMSprop(const NamedTensors& parameters, const RMSpropOptions& options)
    : ScaledBySquares(parameters, "square_avg", options.alpha, 1 - options.alpha, options.eps,
                      options.weight_decay, options.decay_norm_bias) {}

}  // namespace glidepath
