// src/train/sgd.cpp - stochastic gradient descent with momentum, each parameter updated in one pass.
#include "train/sgd.h"

#include <torch/torch.h>

#include "nn/parallel.h"

namespace glidepath {
namespace {

// Below this many elements a second thread costs more than it brings.
constexpr std::int64_t kGrain = 32768;

struct UpdateRule {
  float lr, momentum, weight_decay;
  bool nesterov;
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void update_range(float* __restrict w, const float* __restrict g, float* __restrict v, std::int64_t count,
                  const UpdateRule& rule) {
  const float ahead = rule.nesterov ? rule.momentum : 0.0F;
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = g[i] + rule.weight_decay * w[i];
    const float velocity = rule.momentum * v[i] + gradient;
    v[i] = velocity;
    w[i] -= rule.lr * (rule.nesterov ? gradient + ahead * velocity : velocity);
  }
}

bool fits_one_pass(const torch::Tensor& w, const torch::Tensor& g, const torch::Tensor& v) {
  return w.is_cpu() && w.scalar_type() == torch::kFloat32 && g.scalar_type() == torch::kFloat32 &&
         w.strides() == v.strides() && w.strides() == g.strides() && w.is_non_overlapping_and_dense();
}

void update_with_operators(torch::Tensor& w, torch::Tensor g, torch::Tensor& v, const UpdateRule& rule) {
  if (rule.weight_decay != 0) g = g.add(w, rule.weight_decay);
  v.mul_(rule.momentum).add_(g);
  w.add_(rule.nesterov ? g.add(v, rule.momentum) : v, -rule.lr);
}

}  // namespace

Sgd::Sgd(std::vector<std::pair<std::string, torch::Tensor>> parameters, const SgdOptions& options)
    : options_(options) {
  for (auto& [name, parameter] : parameters) {
    const bool decayed = options.decay_norm_bias || parameter.dim() > 1;
    torch::NoGradGuard no_grad;
    slots_.push_back({name, parameter, torch::zeros_like(parameter), decayed ? options.weight_decay : 0.0});
  }
}

void Sgd::step(double lr) {
  torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    torch::Tensor gradient = slot.parameter.grad();
    if (!gradient.defined()) continue;
    const UpdateRule rule{static_cast<float>(lr), static_cast<float>(options_.momentum),
                          static_cast<float>(slot.weight_decay), options_.nesterov};
    // A gradient may come in another memory format than its weight, for 1x1 convolutions for example.
    if (gradient.strides() != slot.parameter.strides() && slot.parameter.is_cpu()) {
      gradient = torch::empty_like(slot.parameter).copy_(gradient);
    }
    if (!fits_one_pass(slot.parameter, gradient, slot.momentum)) {
      update_with_operators(slot.parameter, gradient, slot.momentum, rule);
      continue;
    }
    auto* w = slot.parameter.data_ptr<float>();
    const auto* g = gradient.data_ptr<float>();
    auto* v = slot.momentum.data_ptr<float>();
    parallel_ranges(slot.parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      update_range(w + begin, g + begin, v + begin, end - begin, rule);
    });
  }
}

void Sgd::drop_gradients() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad().reset();
}

std::vector<std::pair<std::string, torch::Tensor>> Sgd::state() const {
  std::vector<std::pair<std::string, torch::Tensor>> state;
  for (const Slot& slot : slots_) state.emplace_back(slot.name, slot.momentum);
  return state;
}

}  // namespace glidepath
