// src/task/classify.cpp - images into classes.
#include <torch/types.h>

#include "glidepath/task.h"
#include "nn/loss.h"

namespace glidepath {
namespace {

class Classify : public Task {
 public:
  explicit Classify(double label_smoothing) : label_smoothing_(label_smoothing) {}

  torch::Tensor loss(const torch::Tensor& logits, const Batch& batch) const override {
    return cross_entropy(logits, batch.labels(), label_smoothing_);
  }
  torch::Tensor loss_sum(const torch::Tensor& logits, const Batch& batch) const override {
    return cross_entropy_sum(logits, batch.labels());
  }
  torch::Tensor correct(const torch::Tensor& logits, const Batch& batch) const override {
    return logits.detach().argmax(1).eq(batch.labels()).sum();
  }

 private:
  double label_smoothing_;
};

}  // namespace

std::unique_ptr<Task> make_classification(double label_smoothing) {
  return std::make_unique<Classify>(label_smoothing);
}

}  // namespace glidepath
