// src/optim/schedule_free.h - Schedule-Free SGD and AdamW: an average in place of a schedule.
#pragma once
#include "optim/update_rule.h"

namespace glidepath {

struct ScheduleFreeOptions {
  bool adaptive = false;  ///< AdamW's, else SGD's
  double momentum = 0.9;  ///< (0, 1): how far the gradient is taken from z towards the average
  double beta2 = 0.999;   ///< of the adaptive one, as is eps
  double eps = 1e-8;
};

/// Gradients g are taken at y, which is what the parameter is in training; x is what is tested and saved.
///
///     d = g + weight_decay * y                               SGD
///     v = beta2 * v + (1 - beta2) * g^2;  d = g / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * y   AdamW
///     c = m^2 / (the sum of m^2 so far), m the highest rate so far
///     y += c * (z - y) + lr * (momentum * (1 - c) - 1) * d;  z -= lr * d
///     x = y + (1 - 1 / momentum) * (z - y)
///
/// Equal to x = (1 - c) x + c z and y = (1 - momentum) z + momentum x. For a constant rate, maybe with a
/// warm-up. State: "z", the parameter at first; "exp_avg_sq"; and the two numbers that c is made of.
/// Source: Defazio et al., "The Road Less Scheduled", NeurIPS 2024 (arXiv 2405.15682), and its reference.
class ScheduleFree final : public UpdateRule {
 public:
  explicit ScheduleFree(const ScheduleFreeOptions& options) : options_(options) {}

  std::vector<std::string> state_names() const override;
  bool counts_averaged() const override { return true; }
  void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) const override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) const override;
  torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const override;
  torch::Tensor tested_weights(const Slot& slot) const override;

 private:
  /// c of this update, noted in the slot.
  double share_of(Slot& slot, double lr, std::int64_t step) const;

  ScheduleFreeOptions options_;
};

}  // namespace glidepath
