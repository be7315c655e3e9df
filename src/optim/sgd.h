// src/optim/sgd.h - stochastic gradient descent with momentum.
#pragma once
#include "glidepath/optimizer.h"

namespace glidepath {

struct SgdOptions {
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 5e-4;
  bool decay_norm_bias = true;  ///< false: parameters of one dimension (norms, biases) are not decayed
};

/// Weights, gradients and momenta of parameters with the same weight decay.
struct SgdTensors {
  std::vector<torch::Tensor> weights, gradients, momenta;
};
/// One update of all of them by torch's operators over lists, the arithmetic of Sgd in the same order.
void sgd_update_together(SgdTensors& tensors, const SgdOptions& options, double weight_decay, double lr);

/// g += weight_decay * w;  v = momentum * v + g;  w -= lr * (nesterov ? g + momentum * v : v).
/// State: "momentum", which is v. Source: torch.optim.SGD; Sutskever et al., ICML 2013.
class Sgd final : public Optimizer {
 public:
  Sgd(const NamedTensors& parameters, const SgdOptions& options);

 private:
  void update_in_one_pass(const Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) override;
  bool updates_together() const override { return true; }
  void update_together(const std::vector<const Slot*>& slots, double lr) const override;
  torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const override;
  bool saves_steps() const override { return false; }

  SgdOptions options_;
};

}  // namespace glidepath
