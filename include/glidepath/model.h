// include/glidepath/model.h - what is trained, as the loop sees it: any network behind one handle.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "glidepath/batch.h"
#include "glidepath/named_tensors.h"
#include "glidepath/safetensors.h"

namespace glidepath {

/// Floating-point operations for one example; a multiply-add counts as 2.
struct Cost {
  double forward = 0;
  /// Of every layer's gradients for its weights and its input, but for the input of the first layer, where
  /// none is needed.
  double backward = 0;
  double both() const { return forward + backward; }
};

/// A norm's running statistics: moving averages over the batches seen in training mode. The tensors are the
/// live ones.
struct RunningStatistics {
  torch::Tensor mean, variance;                       ///< [C]
  torch::Tensor batches;                              ///< 0-dim: how many were seen
  double momentum = 0.1;                              ///< the weight of the next batch, in (0, 1]
  std::function<void(double momentum)> set_momentum;  ///< empty where it cannot be another
};

class Model {
 public:
  virtual ~Model() = default;

  virtual Values forward(const Values& inputs) = 0;

  /// All weights, frozen ones (requires_grad false) too, and all other tensors of its state. In an order that
  /// stays; the live ones, not copies.
  virtual NamedTensors named_parameters() const = 0;
  virtual NamedTensors named_buffers() const = 0;
  std::vector<torch::Tensor> parameters() const { return tensors_of(named_parameters()); }
  std::vector<torch::Tensor> buffers() const { return tensors_of(named_buffers()); }

  virtual void train(bool on = true) = 0;  ///< training or evaluation mode
  virtual bool is_training() const = 0;
  /// Moves weights and buffers; those taken before may be left behind.
  virtual void to(const torch::Device& device) = 0;

  /// From now on norms that have parameters, none of which is trained (requires_grad), stay in evaluation
  /// mode: their statistics are used as they are, and are none of running_statistics().
  virtual void hold_frozen_norms() {}
  /// Of its norms, where there are any that can be told of.
  virtual std::vector<RunningStatistics> running_statistics() { return {}; }
  /// Where it is known; else it is found by watching one forward pass (watched_cost()).
  virtual std::optional<Cost> cost() const { return std::nullopt; }
  /// How many training examples its first weights depend on, as far as there are so many; and what makes them
  /// of these, as they are and in their order, before the first update of a new run.
  virtual std::int64_t examples_to_begin_with() const { return 0; }
  virtual void begin_with(const Values& /*inputs*/) {}
  /// Whether forward takes images of other sizes than the one it was made for.
  virtual bool takes_any_size() const { return false; }
  /// How many tensors forward takes, where that is known; else 0. What a batch's inputs leave is filled up
  /// with its targets (inputs_of()): a model may give its own loss.
  virtual std::size_t inputs_wanted() const { return 0; }

 private:
  static std::vector<torch::Tensor> tensors_of(const NamedTensors& named) {
    std::vector<torch::Tensor> tensors;
    tensors.reserve(named.size());
    for (const auto& item : named) tensors.push_back(item.second);
    return tensors;
  }
};

/// What `model` takes of a batch: its inputs, and its first targets where the model takes more tensors.
Values inputs_of(const Model& model, const Batch& batch);

/// A module of one's own as a model; `forward` calls it. Batch norms in it (BatchNorm1d to 3d) are found.
std::shared_ptr<Model> module_model(std::shared_ptr<torch::nn::Module> module,
                                    std::function<Values(const Values& inputs)> forward);

/// The same for one whose forward takes a tensor and gives one.
template <typename Module>
std::shared_ptr<Model> module_model(const std::shared_ptr<Module>& module) {
  return module_model(module, [module = module.get()](const Values& inputs) {
    return Values{module->forward(inputs.front())};
  });
}

/// Of one example, from one forward pass of a batch of `examples` in evaluation mode: convolutions and matrix
/// products by their shapes, batch norms 2 an element; twice that backward, but for the first layer's input.
/// Fused and other operators count nothing.
Cost watched_cost(Model& model, const Values& inputs, std::int64_t examples);

/// No longer trains parameters whose names fit one of the patterns (* any characters, ? one): requires_grad
/// becomes false. Throws InputError for a pattern that fits none, and where nothing is left to train.
void freeze(Model& model, const std::vector<std::string>& patterns);

/// Those that are trained (requires_grad), in their order.
NamedTensors named_parameters(const Model& model);

/// Parameters and buffers by name, as torch's state_dict() has them. The tensors are the model's own, not
/// copies.
TensorMap state_dict(const Model& model);

/// More bytes than weights for the model have, in whatever dtype: 8 for each number, and a megabyte for what
/// some files hold beside them. What load_safetensors() may be asked to take.
std::uint64_t most_weight_bytes(const Model& model);

/// Copies `tensors` into the model; dtype, device and memory format stay the model's.
/// Throws InputError naming the first tensor that is missing, unknown or of another shape; the model is then
/// unchanged.
void load_state_dict(Model& model, const TensorMap& tensors);

}  // namespace glidepath
