// src/optim/schedule_free.cpp - Schedule-Free SGD and AdamW.
#include "optim/schedule_free.h"

#include <algorithm>
#include <cmath>

#include <torch/types.h>

#include "nn/kernels/parallel.h"
#include "optim/optimizer_kernels.h"

namespace glidepath {
std::vector<std::string> ScheduleFree::state_names() const {
  if (options_.adaptive) return {"z", "exp_avg_sq"};
  return {"z"};
}

double ScheduleFree::share_of(Slot& slot, double lr, std::int64_t step) const {
  if (step == 1) slot.state[0].copy_(slot.parameter);
  auto* numbers = slot.averaged.data_ptr<double>();  // the highest rate so far, and the sum of their squares
  numbers[0] = std::max(numbers[0], lr);
  const double weight = numbers[0] * numbers[0];
  numbers[1] += weight;
  return numbers[1] > 0 ? weight / numbers[1] : 0;
}

void ScheduleFree::update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                                      std::int64_t step) const {
  const double share = share_of(slot, lr, step);
  ScheduleFreeRule rule;
  rule.lr = static_cast<float>(lr);
  rule.weight_decay = static_cast<float>(slot.weight_decay);
  rule.share = static_cast<float>(share);
  rule.step = static_cast<float>(lr * (options_.momentum * (1 - share) - 1));
  rule.beta2 = static_cast<float>(options_.beta2);
  rule.rest2 = static_cast<float>(1 - options_.beta2);
  rule.inverse = static_cast<float>(1 / bias_correction(options_.beta2, step));
  rule.eps = static_cast<float>(options_.eps);
  auto* y = slot.parameter.data_ptr<float>();
  const auto* g = gradient.data_ptr<float>();
  auto* z = slot.state[0].data_ptr<float>();
  auto* v = options_.adaptive ? slot.state[1].data_ptr<float>() : nullptr;
  parallel_ranges(slot.parameter.numel(), kUpdateGrain, [&](std::int64_t begin, std::int64_t end) {
    if (v == nullptr) {
      schedule_free_update(y + begin, g + begin, z + begin, end - begin, rule);
    } else {
      schedule_free_adam_update(y + begin, g + begin, z + begin, v + begin, end - begin, rule);
    }
  });
}

void ScheduleFree::update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                         std::int64_t step) const {
  const double share = share_of(slot, lr, step);
  torch::Tensor &y = slot.parameter, &z = slot.state[0];
  torch::Tensor direction = gradient;
  if (options_.adaptive) {
    torch::Tensor& v = slot.state[1];
    v.mul_(options_.beta2).addcmul_(gradient, gradient, 1 - options_.beta2);
    direction = gradient / v.div(bias_correction(options_.beta2, step)).sqrt_().add_(options_.eps);
  }
  if (slot.weight_decay != 0) direction = direction.add(y, slot.weight_decay);
  y.lerp_(z, share);
  y.add_(direction, lr * (options_.momentum * (1 - share) - 1));
  z.sub_(direction, lr);
}

torch::Tensor ScheduleFree::rate_factor(const Slot& slot, std::int64_t step) const {
  if (!options_.adaptive) return UpdateRule::rate_factor(slot, step);
  return slot.state[1].div(bias_correction(options_.beta2, step)).sqrt_().add_(options_.eps).reciprocal_();
}

torch::Tensor ScheduleFree::tested_weights(const Slot& slot) const {
  return slot.parameter.lerp(slot.state[0], 1 - 1 / options_.momentum);
}

}  // namespace glidepath
