// src/task/classify.cpp - images into classes.
#include <torch/types.h>

#include "glidepath/task.h"
#include "nn/loss.h"

namespace glidepath {
namespace {

class Classify : public Task {
 public:
  explicit Classify(double label_smoothing) : label_smoothing_(label_smoothing) {}

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return cross_entropy(outputs.front(), batch.labels(), label_smoothing_);
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return cross_entropy_sum(outputs.front(), batch.labels());
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    return outputs.front().detach().argmax(1).eq(batch.labels()).sum();
  }

 private:
  double label_smoothing_;
};

}  // namespace

std::unique_ptr<Task> make_classification(double label_smoothing) {
  return std::make_unique<Classify>(label_smoothing);
}

}  // namespace glidepath
