// src/optim/adam.h - Adam, AMSGrad and AdamW.
#pragma once
#include "optim/update_rule.h"

namespace glidepath {

enum class AdamVariant {
  kAdam,
  kAmsgrad,  ///< the largest v so far in place of v
  kAdamW,    ///< weight decay apart from the gradient
};

struct AdamOptions {
  AdamVariant variant = AdamVariant::kAdam;
  double beta1 = 0.9;    ///< [0, 1)
  double beta2 = 0.999;  ///< [0, 1)
  double eps = 1e-8;
};

/// In the t-th update of a parameter, counted from 1:
///
///     AdamW: w -= lr * weight_decay * w;  the others: g += weight_decay * w
///     m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2
///     AMSGrad: u = max(u, v);  the others: u = v
///     w -= lr / (1 - beta1^t) * m / (sqrt(u) / sqrt(1 - beta2^t) + eps)
///
/// The effective rate of an element is what m is multiplied by in the last line,
/// lr * sqrt(1 - beta2^t) / (1 - beta1^t) / (sqrt(u) + eps * sqrt(1 - beta2^t)).
/// State: "exp_avg" (m), "exp_avg_sq" (v), for AMSGrad "max_exp_avg_sq" (u), and "steps" (t).
/// Source: torch.optim.Adam, with amsgrad, AdamW; Kingma and Ba, ICLR 2015; Reddi et al., ICLR 2018;
/// Loshchilov and Hutter, ICLR 2019. As in PyTorch, and not in Reddi et al., the maximum is taken before the
/// bias correction, and there is one.
class Adam final : public UpdateRule {
 public:
  explicit Adam(const AdamOptions& options) : options_(options) {}

  std::vector<std::string> state_names() const override;
  void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) const override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) const override;
  torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const override;

 private:
  AdamOptions options_;
};

}  // namespace glidepath
