// src/task/classify.cpp - images into classes.
#include <torch/types.h>

#include "glidepath/task.h"
#include "nn/loss.h"
#include "task/shapes.h"

namespace glidepath {
namespace {

// Of fewer classes five are half or more.
constexpr std::int64_t kFewClasses = 10;

class Classify : public Task {
 public:
  Classify(double label_smoothing, std::int64_t classes) : label_smoothing_(label_smoothing) {
    metrics_.push_back(accuracy());
    if (classes > kFewClasses) metrics_.push_back(top5_accuracy());
  }

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    const torch::Tensor& logits = checked(outputs, batch);
    if (is_mixed(batch))
      return mixed_cross_entropy(logits, batch.labels(), batch.targets[1], batch.targets[2],
                                 label_smoothing_);
    return cross_entropy(logits, batch.labels(), label_smoothing_);
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return cross_entropy_sum(checked(outputs, batch), batch.labels());
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    const torch::Tensor labels =
        is_mixed(batch) ? torch::where(batch.targets[2].ge(0.5), batch.labels(), batch.targets[1])
                        : batch.labels();
    return outputs.front().detach().argmax(1).eq(labels).sum();
  }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  static const torch::Tensor& checked(const Values& outputs, const Batch& batch) {
    const torch::Tensor &logits = outputs.front(), &labels = batch.labels();
    if (logits.dim() != 2 || labels.dim() != 1 || logits.size(0) != labels.size(0))
      refuse_shapes("classify", logits, labels, "[B, classes] for labels [B]");
    return logits;
  }
  /// Images in pairs: labels, the other images' labels, and the first ones' shares (mixup, cutmix).
  static bool is_mixed(const Batch& batch) { return batch.targets.size() == 3; }

  double label_smoothing_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Task> make_classification(double label_smoothing, std::int64_t classes) {
  return std::make_unique<Classify>(label_smoothing, classes);
}

}  // namespace glidepath
