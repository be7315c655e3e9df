// src/task/multilabel.cpp - several classes at once.
#include <torch/types.h>

#include "glidepath/task.h"
#include "task/shapes.h"

namespace glidepath {
namespace {

class Multilabel : public Task {
 public:
  explicit Multilabel(std::int64_t classes) : metrics_{mean_f1(classes), accuracy()} {}

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return entropy(outputs, batch, at::Reduction::Mean);
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return entropy(outputs, batch, at::Reduction::Sum);
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    return outputs.front().detach().gt(0).eq(batch.targets.front().gt(0)).sum();
  }
  bool has_terms() const override { return true; }
  std::int64_t terms(const Batch& batch) const override { return batch.targets.front().numel(); }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  static torch::Tensor entropy(const Values& outputs, const Batch& batch, std::int64_t reduction) {
    const torch::Tensor &logits = outputs.front(), &targets = batch.targets.front();
    if (logits.dim() != 2 || logits.sizes() != targets.sizes())
      refuse_shapes("multilabel", logits, targets, "[B, classes] for both");
    return at::binary_cross_entropy_with_logits(logits, targets.to(logits.scalar_type()), {}, {}, reduction);
  }

  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Task> make_multilabel(std::int64_t classes) { return std::make_unique<Multilabel>(classes); }

}  // namespace glidepath
