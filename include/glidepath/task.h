// include/glidepath/task.h - what a model is trained for: the loss of its outputs, and what of them is right.
#pragma once
#include <memory>

#include <torch/types.h>

#include "glidepath/loader.h"

namespace glidepath {

/// Knows nothing of models, loops and devices: whoever trains, tests or measures asks it. Outputs are what a
/// model gave for the batch, float32, on the batch's device.
class Task {
 public:
  virtual ~Task() = default;
  /// What is trained on: the mean over the batch's examples, 0-dim, with its gradient.
  virtual torch::Tensor loss(const torch::Tensor& outputs, const Batch& batch) const = 0;
  /// What tests tell: the sum over the examples, without what helps training alone (label smoothing).
  virtual torch::Tensor loss_sum(const torch::Tensor& outputs, const Batch& batch) const = 0;
  /// Examples whose outputs are right, 0-dim int64.
  virtual torch::Tensor correct(const torch::Tensor& outputs, const Batch& batch) const = 0;
};

/// Images into classes, by cross entropy: outputs are logits [B, classes], targets the labels.
/// label_smoothing in [0, 1): the share of the target that is spread over all classes (Szegedy et al., CVPR
/// 2016, section 7).
std::unique_ptr<Task> make_classification(double label_smoothing = 0);

}  // namespace glidepath
