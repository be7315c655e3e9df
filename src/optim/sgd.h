// src/optim/sgd.h - stochastic gradient descent with momentum.
#pragma once
#include "optim/update_rule.h"

namespace glidepath {

struct SgdOptions {
  double momentum = 0.9;
  bool nesterov = true;
};

/// Weights, gradients and momenta of parameters with the same weight decay and rate.
struct SgdTensors {
  std::vector<torch::Tensor> weights, gradients, momenta;
};
/// One update of all of them by torch's operators over lists, the arithmetic of Sgd in the same order.
void sgd_update_together(SgdTensors& tensors, const SgdOptions& options, double weight_decay, double lr);

/// g += weight_decay * w;  v = momentum * v + g;  w -= lr * (nesterov ? g + momentum * v : v).
/// State: "momentum", which is v. Source: torch.optim.SGD; Sutskever et al., ICML 2013.
class Sgd final : public UpdateRule {
 public:
  explicit Sgd(const SgdOptions& options) : options_(options) {}

  std::vector<std::string> state_names() const override { return {"momentum"}; }
  bool counts_updates() const override { return false; }
  void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) const override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) const override;
  bool updates_together() const override { return true; }
  void update_together(const std::vector<Slot*>& slots, double lr) const override;

 private:
  SgdOptions options_;
};

}  // namespace glidepath
