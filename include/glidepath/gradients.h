// include/glidepath/gradients.h - the gradient of the mean loss over a whole data set, of any module.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "glidepath/named_tensors.h"

namespace glidepath {

using Tensors = std::vector<torch::Tensor>;

/// Gradients come dense, in the shapes, dtypes and memory order of their parameters, which are floating point
/// and have no gaps or overlaps in memory; zeros for a parameter that has none.

/// Those that stand in the parameters' grad().
Tensors gradients_of(const Tensors& parameters);
/// Those of a scalar loss; what stands in grad() stays. Throws InputError for a loss that is no scalar or
/// depends on none of the parameters.
Tensors gradients_of(const torch::Tensor& loss, const Tensors& parameters);

struct FullGradient {
  double norm = 0;            ///< L2, over all parameters, >= 0
  double mean_loss = 0;       ///< over all examples, without the weight decay's term
  std::int64_t examples = 0;  ///< how many there were
  Tensors gradients;          ///< double, flat, one a parameter, in the parameter's memory order
  std::vector<std::pair<std::string, double>> norms;  ///< L2, of each parameter, in their order
};

/// Adds up g* = sum over batches b of (n_b / N) * gradient of batch b's mean loss: the gradient of the mean
/// loss over all N examples where each is in one batch, and weights do not move in between. In double, on the
/// parameters' device. Source: Li et al., ICLR 2020, section 3.
class GradientSum {
 public:
  /// `examples`: N where it is known beforehand (sums are then of parts of one), 0 where not.
  /// Throws InputError for no parameters, and one that gradients cannot be of.
  explicit GradientSum(NamedTensors parameters, std::int64_t examples = 0);

  /// A batch of so many examples, >= 1, and its mean loss, whose graph is spent. The parameters' grad()
  /// stays.
  void add(const torch::Tensor& mean_loss, std::int64_t examples);
  std::int64_t examples() const { return seen_; }  ///< added so far
  /// What they come to; the sum is spent. weight_decay * w is added to the gradient of each parameter, but of
  /// those of one dimension where `decay_norm_bias` is false. Throws InputError where nothing was added.
  FullGradient finish(double weight_decay = 0, bool decay_norm_bias = true);

 private:
  NamedTensors named_;
  Tensors parameters_;
  std::int64_t expected_, seen_ = 0;
  FullGradient sum_;
};

/// While alive, forward passes in training mode do not reach these buffers, or the module's: restore() puts
/// them back, and so does the end.
class KeepBuffers {
 public:
  explicit KeepBuffers(Tensors buffers);
  explicit KeepBuffers(const torch::nn::Module& module);
  ~KeepBuffers();
  KeepBuffers(const KeepBuffers&) = delete;
  KeepBuffers& operator=(const KeepBuffers&) = delete;
  void restore();
  Tensors copy() const;             ///< as they are
  void put(const Tensors& values);  ///< in the order of copy()

 private:
  Tensors live_, kept_;
};

/// The mean loss of one batch, with its graph, and how many examples it is the mean of.
struct BatchLoss {
  torch::Tensor loss;  ///< one number, of any floating-point type
  std::int64_t examples = 0;
};

/// The full gradient of any module at its present weights. `next` computes the mean loss of a batch, one
/// after the other, and gives none when all examples have been in one. The module's mode (batch norm's
/// statistics) is the caller's choice. Leaves weights, grad() and buffers as they were, also where `next`
/// throws. Costs a forward and a backward pass of every batch, and a double for each weight. Throws
/// InputError for a module without trained parameters, and where there was no batch.
FullGradient full_gradient(const torch::nn::Module& module,
                           const std::function<std::optional<BatchLoss>()>& next, double weight_decay = 0,
                           bool decay_norm_bias = true);

}  // namespace glidepath
