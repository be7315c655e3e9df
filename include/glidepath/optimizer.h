// include/glidepath/optimizer.h - optimizers: update, be saved, and tell how they scale the rate.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "glidepath/named_tensors.h"
#include "glidepath/safetensors.h"

namespace glidepath {

/// What make_optimizer() makes. Those of other optimizers than `name` do nothing. Formulas and sources are in
/// docs/optimizers.md.
struct OptimizerOptions {
  std::string name = "sgd";     ///< one of optimizer_names()
  double weight_decay = 0;      ///< at least 0; w * weight_decay is added to the gradient, but for adamw
  bool decay_norm_bias = true;  ///< false: parameters of one dimension (norms, biases) are not decayed
  double momentum = 0.9;        ///< sgd, schedule-free-sgd: in [0, 1); above 0 for nesterov and the latter
  bool nesterov = true;         ///< sgd, muon
  double beta1 = 0.9;           ///< adam, amsgrad, adamw, schedule-free-adamw: in [0, 1)
  double beta2 = 0.999;         ///< likewise
  double rmsprop_alpha = 0.99;  ///< rmsprop: in [0, 1)
  std::optional<double> eps;  ///< of those that divide: above 0; none: 1e-10 for adagrad, 1e-8 for the others
  double muon_momentum = 0.95;   ///< muon: in [0, 1)
  int muon_steps = 5;            ///< muon: of Newton and Schulz, at least 1
  bool muon_normalised = false;  ///< muon: weights are kept at the norm sqrt(rows), as in airbench

  /// For the parameters whose names fit a pattern, in which * stands for any characters and ? for one. Where
  /// several fit, the first counts; a pattern that fits none is an error.
  template <typename Value>
  using ByName = std::vector<std::pair<std::string, Value>>;
  ByName<double> lr_scale = {};           ///< multiplies every rate, at least 0
  ByName<double> lr_until = {};           ///< in (0, 1]: the share of the budget at which rates have landed
  ByName<double> weight_decay_of = {};    ///< in place of weight_decay
  ByName<std::string> optimizer_of = {};  ///< in place of `name`
};

/// Optimizers compute what torch.optim's of the same name do, term for term. On the CPU one loop reads and
/// writes each parameter and its state once; elsewhere, and for other types than float, torch's operators do
/// the same, for SGD on a GPU those that take all parameters at a time.
class Optimizer {
 public:
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update with this learning rate, from the gradients that stand in the parameters' grad(), in the
  /// parameters' shapes. Parameters without a gradient are left alone, and so is their state.
  /// `lr_until(share)` is the rate of those that have landed at this share of the budget (Glide::lr_until());
  /// without it all have the same.
  void step(double lr, const std::function<double(double share)>& lr_until = {});
  /// Shares of the options' weight decay (weight_decay_of too) and momentum (of sgd and muon) that updates
  /// have from now on, each at least 0, momentum at most 1; 1 and 1 at first. No part of state().
  void set_shares(double weight_decay, double momentum);
  /// Drops the gradients, so that backward writes new ones instead of adding to zeroed ones.
  void drop_gradients();
  /// Those that there are, in the parameters' order.
  std::vector<torch::Tensor> gradients() const;
  /// All that decides later updates and rate_factors(), to save: "exp_avg.fc1.weight" and so on and, but for
  /// SGD and Muon, "steps" (int64, how many updates each parameter has had). The tensors are the live ones.
  NamedTensors state() const;
  /// Takes what state() was, by name, so that later updates have the bits of those that were not interrupted.
  /// Other names are left alone: a checkpoint holds more. Throws InputError that names the first tensor that
  /// is missing or of another shape; nothing is changed then.
  void set_state(const TensorMap& saved);
  /// By name, what is tested and saved in place of the parameters where that is not what gradients are taken
  /// at: of Schedule-Free, once it has made an update. Empty for all others.
  TensorMap tested_weights() const;
  /// For each parameter that has been updated, in their order: the factor that its last update had on the
  /// learning rate, element by element, in the parameter's shape. 1 where rates are not adapted.
  std::vector<torch::Tensor> rate_factors() const;

 private:
  friend std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options,
                                                   const NamedTensors& parameters);
  struct Parts;
  explicit Optimizer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

/// "sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw", "muon", "schedule-free-sgd",
/// "schedule-free-adamw". Muon is for matrices and filters: what has one dimension is given to sgd.
const std::vector<std::string>& optimizer_names();

/// An optimizer over these parameters, which are floating point, on any device, each once, and stay where
/// they are while it lives: named_parameters(module), for example. What it keeps of each is on the same
/// device.
/// Throws InputError for an unknown name, an option out of range, and a parameter that cannot be updated.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const NamedTensors& parameters);

}  // namespace glidepath
