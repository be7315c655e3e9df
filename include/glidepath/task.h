// include/glidepath/task.h - what a model is trained for: the loss of its outputs, and what of them is right.
#pragma once
#include <functional>
#include <memory>

#include <torch/types.h>

#include "glidepath/batch.h"

namespace glidepath {

/// Knows nothing of models, loops and devices: whoever trains, tests or measures asks it. Outputs are what a
/// model gave for the batch, on the batch's device; those of floating point are float32.
class Task {
 public:
  virtual ~Task() = default;
  /// What is trained on: the mean over the batch's examples, 0-dim, with its gradient.
  virtual torch::Tensor loss(const Values& outputs, const Batch& batch) const = 0;
  /// What tests tell: the sum over the examples, without what helps training alone (label smoothing).
  virtual torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const {
    return loss(outputs, batch) * static_cast<double>(batch.examples);
  }
  /// How many examples' outputs are right, 0-dim; undefined where that is no question. A run is then shown by
  /// its loss.
  virtual torch::Tensor correct(const Values& /*outputs*/, const Batch& /*batch*/) const { return {}; }
};

/// Images into classes, by cross entropy: outputs are logits [B, classes], targets the labels.
/// label_smoothing in [0, 1): the share of the target that is spread over all classes (Szegedy et al., CVPR
/// 2016, section 7).
std::unique_ptr<Task> make_classification(double label_smoothing = 0);

/// A loss of one's own: the mean over the batch's examples. `correct` counts those that are right, where that
/// is a question.
using BatchFunction = std::function<torch::Tensor(const Values& outputs, const Batch& batch)>;
std::unique_ptr<Task> make_task(BatchFunction loss, BatchFunction correct = {});

}  // namespace glidepath
