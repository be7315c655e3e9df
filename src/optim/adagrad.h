// src/optim/adagrad.h - Adagrad and RMSprop: gradients divided by the root of their squares, summed or
// averaged.
#pragma once
#include "glidepath/optimizer.h"

namespace glidepath {

/// g += weight_decay * w;  s = keep * s + add * g^2;  w -= lr * g / (sqrt(s) + eps).
/// The effective rate of an element is lr / (sqrt(s) + eps).
class ScaledBySquares : public Optimizer {
 private:
  void update_in_one_pass(const Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) override;
  torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const override;

 protected:
  ScaledBySquares(const NamedTensors& parameters, const char* state_name, double keep, double add, double eps,
                  double weight_decay, bool decay_norm_bias);

 private:
  double keep_, add_, eps_;
};

struct AdagradOptions {
  double eps = 1e-10;
  double weight_decay = 0;
  bool decay_norm_bias = true;
};

/// s = s + g^2, from 0, without a decay of its own. State: "sum", which is s.
/// Source: torch.optim.Adagrad; Duchi, Hazan, Singer, JMLR 2011.
class Adagrad final : public ScaledBySquares {
 public:
  Adagrad(const NamedTensors& parameters, const AdagradOptions& options);
};

struct RMSpropOptions {
  double alpha = 0.99;  ///< [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;
  bool decay_norm_bias = true;
};

/// s = alpha * s + (1 - alpha) * g^2, without momentum, not centered. State: "square_avg", which is s.
/// Source: torch.optim.RMSprop; Tieleman and Hinton, Coursera lecture 6.5, 2012.
class RMSprop final : public ScaledBySquares {
 public:
  RMSprop(const NamedTensors& parameters, const RMSpropOptions& options);
};

}  // namespace glidepath
