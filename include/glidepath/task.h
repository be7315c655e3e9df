// include/glidepath/task.h - what a model is trained for: the loss of its outputs, and how good they are.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include <torch/types.h>

#include "glidepath/batch.h"
#include "glidepath/metric.h"

namespace glidepath {

class Model;

/// Knows nothing of models, loops and devices: whoever trains, tests or measures asks it. Outputs are what a
/// model gave for the batch, on the batch's device; those of floating point are float32. Throws InputError
/// for outputs of another shape than the task wants.
class Task {
 public:
  virtual ~Task() = default;
  /// What is trained on: the mean over the batch's terms, 0-dim, with its gradient.
  virtual torch::Tensor loss(const Values& outputs, const Batch& batch) const = 0;
  /// What tests tell: the sum over the terms, without what helps training alone (label smoothing).
  virtual torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const {
    return loss(outputs, batch) * static_cast<double>(terms(batch));
  }
  /// How many outputs are right, of terms(); 0-dim, undefined where that is no question.
  virtual torch::Tensor correct(const Values& /*outputs*/, const Batch& /*batch*/) const { return {}; }

  /// What a loss is the mean over, where that is not the examples: pixels, tokens, numbers. Parts of a batch
  /// that several processes take, and batches of a test, weigh by it.
  virtual bool has_terms() const { return false; }
  virtual std::int64_t terms(const Batch& batch) const { return batch.examples; }

  /// What tests tell beside the loss. The first is the score, by which weights are chosen and runs compared;
  /// without any, that is the loss.
  virtual const std::vector<Metric>& metrics() const;
  /// Metric::sums of each of metrics() for a batch that has examples; undefined for those without. For tasks
  /// that tell all of them at once.
  virtual std::vector<torch::Tensor> metric_sums(const Values& outputs, const Batch& batch) const;
};

/// Images into classes, by cross entropy: outputs are logits [B, classes], targets the labels int64 [B]; of
/// images that are mixed in pairs also the other labels, int64 [B], and the shares of the first, float32 [B]:
/// right is then the label with the larger share. Tells the accuracy, and of more than ten classes whether
/// the right one is among the best five. label_smoothing in [0, 1), here and below: the share of the target
/// that is spread over all classes (Szegedy et al., CVPR 2016, section 7).
std::unique_ptr<Task> make_classification(double label_smoothing = 0, std::int64_t classes = 0);

/// Several classes at once, by binary cross entropy: outputs are logits [B, classes], targets 0 or 1 of any
/// type, [B, classes]. Scored by mean_f1(); its accuracy is that of the single answers.
std::unique_ptr<Task> make_multilabel(std::int64_t classes);

/// Numbers, by mean squared error: outputs [B, k] or [B], targets of the same shape. Scored by the root of
/// it.
std::unique_ptr<Task> make_regression();

/// A class for each pixel, by cross entropy over those that have one: outputs are logits [B, classes, H, W],
/// targets masks int64 [B, H, W]. Scored by mean_iou(); its accuracy is that of pixels.
std::unique_ptr<Task> make_segmentation(std::int64_t classes, std::int64_t ignored_label = -1,
                                        double label_smoothing = 0);

/// The next token, by cross entropy: outputs are logits [B, T, vocabulary], targets int64 [B, T]. Scored by
/// perplexity(); bits_per_byte() too where bytes_per_token > 0.
std::unique_ptr<Task> make_language(double bytes_per_token = 0, double label_smoothing = 0);

/// What a scripted module (script_model()) brings as methods beside its forward, both of the tensors that
/// forward gave, followed by the targets: loss gives the mean over the batch's examples; metrics, which may
/// be missing, a dictionary of such means by name, of which the first is the score. Those whose names end in
/// loss or error are the better the lower; those in accuracy, iou or f1 are told in percent. `outputs` and
/// `batch`: of an example, to find the names by. Of a program of torch.export (exported_model()), whose
/// forward takes targets after the inputs, its first output is the loss. Throws InputError for a model that
/// is neither, has no loss, or takes other tensors.
std::unique_ptr<Task> script_task(const std::shared_ptr<Model>& model, const Values& outputs,
                                  const Batch& batch);

/// A loss of one's own: the mean over the batch's examples. `correct` counts those that are right, where that
/// is a question.
using BatchFunction = std::function<torch::Tensor(const Values& outputs, const Batch& batch)>;
std::unique_ptr<Task> make_task(BatchFunction loss, BatchFunction correct = {});
/// The same with metrics, the score first.
std::unique_ptr<Task> make_task(BatchFunction loss, std::vector<Metric> metrics);

}  // namespace glidepath
