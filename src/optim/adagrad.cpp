// src/optim/adagrad.cpp - Adagrad and RMSprop: gradients divided by the root of their squares, summed or
// averaged.
#include "optim/adagrad.h"

#include <torch/types.h>

#include "nn/kernels/parallel.h"
#include "optim/optimizer_kernels.h"

namespace glidepath {

void ScaledBySquares::update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                                         std::int64_t /*step*/) const {
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
                                            std::int64_t /*step*/) const {
  const torch::Tensor g = slot.weight_decay != 0 ? gradient.add(slot.parameter, slot.weight_decay) : gradient;
  torch::Tensor& s = slot.state[0];
  s.mul_(keep_).addcmul_(g, g, add_);
  slot.parameter.addcdiv_(g, s.sqrt().add_(eps_), -lr);
}

torch::Tensor ScaledBySquares::rate_factor(const Slot& slot, std::int64_t /*step*/) const {
  return slot.state[0].sqrt().add_(eps_).reciprocal_();
}

}  // namespace glidepath
