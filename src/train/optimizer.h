// src/train/optimizer.h - what every optimizer can do: update, be saved, and tell how it scales the rate.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace glidepath {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// Optimizers compute what torch.optim's of the same name do, term for term. On the CPU one loop reads and
/// writes each parameter and its state once; elsewhere, and for other types than float, torch's operators do
/// the same, for SGD on a GPU those that take all parameters at a time.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One update with this learning rate. Parameters without a gradient are left alone, and so is their state.
  void step(double lr);
  /// Drops the gradients, so that backward writes new ones instead of adding to zeroed ones.
  void drop_gradients();
  /// Those that there are, in the parameters' order.
  std::vector<torch::Tensor> gradients() const;
  /// All that decides later updates and rate_factors(), to save: "exp_avg.fc1.weight" and so on and, but for
  /// SGD, "steps" (int64, how many updates each parameter has had). The tensors are the live ones.
  NamedTensors state() const;
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

}  // namespace glidepath
