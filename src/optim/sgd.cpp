// src/optim/sgd.cpp - stochastic gradient descent with momentum.
#include "optim/sgd.h"

#include <map>
#include <utility>

#include <torch/types.h>

#include "nn/kernels/parallel.h"
#include "optim/optimizer_kernels.h"

namespace glidepath {

void Sgd::update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t /*step*/) const {
  const SgdRule rule{static_cast<float>(lr), static_cast<float>(slot.momentum_share * options_.momentum),
                     static_cast<float>(slot.weight_decay), options_.nesterov};
  auto* w = slot.parameter.data_ptr<float>();
  const auto* g = gradient.data_ptr<float>();
  auto* v = slot.state[0].data_ptr<float>();
  parallel_ranges(slot.parameter.numel(), kUpdateGrain, [&](std::int64_t begin, std::int64_t end) {
    sgd_update(w + begin, g + begin, v + begin, end - begin, rule);
  });
}

void Sgd::update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                std::int64_t /*step*/) const {
  const torch::Tensor g = slot.weight_decay != 0 ? gradient.add(slot.parameter, slot.weight_decay) : gradient;
  torch::Tensor& v = slot.state[0];
  const double momentum = slot.momentum_share * options_.momentum;
  v.mul_(momentum).add_(g);
  slot.parameter.add_(options_.nesterov ? g.add(v, momentum) : v, -lr);
}

void sgd_update_together(SgdTensors& tensors, const SgdOptions& options, double weight_decay, double lr) {
  if (tensors.weights.empty()) return;
  const auto g = weight_decay != 0 ? at::_foreach_add(tensors.gradients, tensors.weights, weight_decay)
                                   : tensors.gradients;
  at::_foreach_mul_(tensors.momenta, options.momentum);
  at::_foreach_add_(tensors.momenta, g);
  const auto step =
      options.nesterov ? at::_foreach_add(g, tensors.momenta, options.momentum) : tensors.momenta;
  at::_foreach_add_(tensors.weights, step, -lr);
}

void Sgd::update_together(const std::vector<Slot*>& slots, double lr) const {
  std::map<std::pair<double, double>, SgdTensors> alike;
  SgdOptions options = options_;
  options.momentum *= slots.front()->momentum_share;  // everyone's
  for (const Slot* slot : slots) {
    SgdTensors& tensors = alike[{slot->weight_decay, slot->lr_scale}];
    tensors.weights.push_back(slot->parameter);
    tensors.gradients.push_back(slot->parameter.grad());
    tensors.momenta.push_back(slot->state[0]);
  }
  for (auto& [settings, tensors] : alike)
    sgd_update_together(tensors, options, settings.first, lr * settings.second);
}

}  // namespace glidepath
