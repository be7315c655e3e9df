// src/optim/adam.cpp - Adam, AMSGrad and AdamW.
#include "optim/adam.h"

#include <cmath>

#include <torch/types.h>

#include "nn/kernels/parallel.h"
#include "optim/optimizer_kernels.h"

namespace glidepath {
std::vector<std::string> Adam::state_names() const {
  if (options_.variant == AdamVariant::kAmsgrad) return {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return {"exp_avg", "exp_avg_sq"};
}

void Adam::update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr, std::int64_t step) const {
  const bool decoupled = options_.variant == AdamVariant::kAdamW;
  AdamRule rule;
  rule.shrink = decoupled ? static_cast<float>(1 - lr * slot.weight_decay) : 1.0F;
  rule.weight_decay = decoupled ? 0.0F : static_cast<float>(slot.weight_decay);
  rule.beta1 = static_cast<float>(options_.beta1);
  rule.rest1 = static_cast<float>(1 - options_.beta1);
  rule.beta2 = static_cast<float>(options_.beta2);
  rule.rest2 = static_cast<float>(1 - options_.beta2);
  rule.step_size = static_cast<float>(lr / bias_correction(options_.beta1, step));
  rule.inverse_root = static_cast<float>(1 / std::sqrt(bias_correction(options_.beta2, step)));
  rule.eps = static_cast<float>(options_.eps);
  auto* w = slot.parameter.data_ptr<float>();
  const auto* g = gradient.data_ptr<float>();
  auto* m = slot.state[0].data_ptr<float>();
  auto* v = slot.state[1].data_ptr<float>();
  auto* most = options_.variant == AdamVariant::kAmsgrad ? slot.state[2].data_ptr<float>() : nullptr;
  parallel_ranges(slot.parameter.numel(), kUpdateGrain, [&](std::int64_t begin, std::int64_t end) {
    if (most == nullptr) {
      adam_update(w + begin, g + begin, m + begin, v + begin, end - begin, rule);
    } else {
      amsgrad_update(w + begin, g + begin, m + begin, v + begin, most + begin, end - begin, rule);
    }
  });
}

void Adam::update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                 std::int64_t step) const {
  torch::Tensor &w = slot.parameter, &m = slot.state[0], &v = slot.state[1];
  torch::Tensor g = gradient;
  if (options_.variant == AdamVariant::kAdamW) {
    w.mul_(1 - lr * slot.weight_decay);
  } else if (slot.weight_decay != 0) {
    g = g.add(w, slot.weight_decay);
  }
  m.mul_(options_.beta1).add_(g, 1 - options_.beta1);
  v.mul_(options_.beta2).addcmul_(g, g, 1 - options_.beta2);
  if (options_.variant == AdamVariant::kAmsgrad) torch::maximum_out(slot.state[2], slot.state[2], v);
  // What remains is m times the effective rate; the quotient by a tensor is PyTorch's form of it.
  const double root = std::sqrt(bias_correction(options_.beta2, step));
  const torch::Tensor divisor = slot.state.back().sqrt().div_(root).add_(options_.eps);
  w.addcdiv_(m, divisor, -lr / bias_correction(options_.beta1, step));
}

torch::Tensor Adam::rate_factor(const Slot& slot, std::int64_t step) const {
  const double root = std::sqrt(bias_correction(options_.beta2, step));
  return slot.state.back()
      .sqrt()
      .div_(root)
      .add_(options_.eps)
      .mul_(bias_correction(options_.beta1, step))
      .reciprocal_();
}

}  // namespace glidepath
