// include/glidepath/optimizer.h - optimizers: update, be saved, and tell how they scale the rate.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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
  double momentum = 0.9;        ///< sgd: in [0, 1); above 0 for nesterov
  bool nesterov = true;         ///< sgd
  double beta1 = 0.9;           ///< adam, amsgrad, adamw: in [0, 1)
  double beta2 = 0.999;         ///< likewise
  double rmsprop_alpha = 0.99;  ///< rmsprop: in [0, 1)
  std::optional<double> eps;    ///< all but sgd: above 0; none: 1e-10 for adagrad, 1e-8 for the others
};

/// Optimizers compute what torch.optim's of the same name do, term for term. On the CPU one loop reads and
/// writes each parameter and its state once; elsewhere, and for other types than float, torch's operators do
/// the same, for SGD on a GPU those that take all parameters at a time.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update with this learning rate, from the gradients that stand in the parameters' grad(), in the
  /// parameters' shapes. Parameters without a gradient are left alone, and so is their state.
  void step(double lr);
  /// Drops the gradients, so that backward writes new ones instead of adding to zeroed ones.
  void drop_gradients();
  /// Those that there are, in the parameters' order.
  std::vector<torch::Tensor> gradients() const;
  /// All that decides later updates and rate_factors(), to save: "exp_avg.fc1.weight" and so on and, but for
  /// SGD, "steps" (int64, how many updates each parameter has had). The tensors are the live ones.
  NamedTensors state() const;
  /// Takes what state() was, by name, so that later updates have the bits of those that were not interrupted.
  /// Other names are left alone: a checkpoint holds more. Throws InputError that names the first tensor that
  /// is missing or of another shape; nothing is changed then.
  void set_state(const TensorMap& saved);
  /// For each parameter that has been updated, in their order: the factor that its last update had on the
  /// learning rate, element by element, in the parameter's shape. 1 where rates are not adapted.
  std::vector<torch::Tensor> rate_factors() const;

 protected:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    double weight_decay;
    std::vector<torch::Tensor> state;  ///< zeros at first, as the parameter in shape and memory format
  };

  /// `state_names`, such as "exp_avg", one for each tensor of Slot::state. `decay_norm_bias` false:
  /// parameters of one dimension (norms, biases) are not decayed.
  Optimizer(const NamedTensors& parameters, std::vector<std::string> state_names, double weight_decay,
            bool decay_norm_bias);

 private:
  // `step` is the number of this update of the parameter, from 1.
  // In one pass: all are dense floats on the CPU in one memory format, so element i is the i-th everywhere.
  virtual void update_in_one_pass(const Slot& slot, const torch::Tensor& gradient, double lr,
                                  std::int64_t step) = 0;
  virtual void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                     std::int64_t step) = 0;
  // On a GPU, for all slots that have a gradient: a few kernels in place of some for each of them.
  virtual bool updates_together() const { return false; }
  virtual void update_together(const std::vector<const Slot*>& /*slots*/, double /*lr*/) const {}
  virtual torch::Tensor rate_factor(const Slot& slot, std::int64_t step) const = 0;
  virtual bool saves_steps() const { return true; }

  std::vector<Slot> slots_;
  std::vector<std::string> state_names_;
  torch::Tensor steps_;
};

/// "sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw".
const std::vector<std::string>& optimizer_names();

/// An optimizer over these parameters, which are floating point, on any device, each once, and stay where
/// they are while it lives: named_parameters(module), for example. What it keeps of each is on the same
/// device.
/// Throws InputError for an unknown name, an option out of range, and a parameter that cannot be updated.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, const NamedTensors& parameters);

}  // namespace glidepath
