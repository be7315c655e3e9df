// src/optim/update_rule.h - what an update does to one parameter; optimizers are lists of parameters and
// rules.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// A parameter with what its updates keep.
struct Slot {
  std::string name;
  torch::Tensor parameter;
  double weight_decay = 0;           ///< of its next update
  double momentum_share = 1;         ///< likewise: what the rule's momentum is multiplied by
  double given_decay = 0;            ///< what weight_decay is a share of
  double lr_scale = 1;               ///< the rate of its updates, as a share of everyone's
  double lr_until = 1;               ///< the share of the budget at which its rate has landed
  double lr_share = 1;               ///< of its last update: what came of lr_until, as a share of everyone's
  std::vector<torch::Tensor> state;  ///< zeros at first, as the parameter in shape and memory format
  torch::Tensor averaged;  ///< float64 [2], on the CPU: what the rule says of its average; or undefined
};

/// 1 - beta^step: what a moving average from 0 has taken in so far.
inline double bias_correction(double beta, std::int64_t step) {
  return 1 - std::pow(beta, static_cast<double>(step));
}

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;

  /// Of Slot::state: "exp_avg" and so on.
  virtual std::vector<std::string> state_names() const = 0;
  /// Whether the number of an update changes what it does.
  virtual bool counts_updates() const { return true; }

  /// Whether Slot::averaged is kept.
  virtual bool counts_averaged() const { return false; }
  /// What is tested and saved in place of a parameter that has been updated; undefined: itself.
  virtual torch::Tensor tested_weights(const Slot& /*slot*/) const { return {}; }

  // `step` is the number of this update of the parameter, from 1; `lr` is the parameter's own.

  /// All are dense floats on the CPU in one memory format, so element i is the i-th everywhere.
  virtual void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                                  std::int64_t step) const = 0;
  virtual void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                     std::int64_t step) const = 0;
  /// On a GPU, for all slots that have a gradient: a few kernels in place of some for each of them. `lr` is
  /// everyone's.
  virtual bool updates_together() const { return false; }
  virtual void update_together(const std::vector<Slot*>& /*slots*/, double /*lr*/) const {}
  /// What the last update multiplied the rate by, element by element.
  /// 1 for rules that do not adapt the rate.
  virtual torch::Tensor rate_factor(const Slot& slot, std::int64_t /*step*/) const {
    return torch::ones({}, slot.parameter.options()).expand_as(slot.parameter);
  }
};

}  // namespace glidepath
