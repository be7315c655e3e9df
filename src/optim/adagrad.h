// src/optim/adagrad.h - Adagrad and RMSprop: gradients divided by the root of their squares, summed or
// averaged.
#pragma once
#include "optim/update_rule.h"

namespace glidepath {

/// g += weight_decay * w;  s = keep * s + add * g^2;  w -= lr * g / (sqrt(s) + eps).
/// The effective rate of an element is lr / (sqrt(s) + eps).
class ScaledBySquares : public UpdateRule {
 public:
  std::vector<std::string> state_names() const override { return {state_name_}; }
  void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) const override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) const override;
  torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const override;

 protected:
  ScaledBySquares(const char* state_name, double keep, double add, double eps)
      : state_name_(state_name), keep_(keep), add_(add), eps_(eps) {}

 private:
  const char* state_name_;
  double keep_, add_, eps_;
};

struct AdagradOptions {
  double eps = 1e-10;
};

/// s = s + g^2, from 0, without a decay of its own. State: "sum", which is s.
/// Source: torch.optim.Adagrad; Duchi, Hazan, Singer, JMLR 2011.
class Adagrad final : public ScaledBySquares {
 public:
  explicit Adagrad(const AdagradOptions& options) : ScaledBySquares("sum", 1, 1, options.eps) {}
};

struct RMSpropOptions {
  double alpha = 0.99;  ///< [0, 1)
  double eps = 1e-8;
};

/// s = alpha * s + (1 - alpha) * g^2, without momentum, not centered. State: "square_avg", which is s.
/// Source: torch.optim.RMSprop; Tieleman and Hinton, Coursera lecture 6.5, 2012.
class RMSprop final : public ScaledBySquares {
 public:
  explicit RMSprop(const RMSpropOptions& options)
      : ScaledBySquares("square_avg", options.alpha, 1 - options.alpha, options.eps) {}
};

}  // namespace glidepath
