// src/task/own_task.cpp - a task from functions.
#include <utility>

#include <torch/types.h>

#include "glidepath/task.h"

namespace glidepath {
namespace {

class OwnTask : public Task {
 public:
  OwnTask(BatchFunction loss, BatchFunction correct) : loss_(std::move(loss)), correct_(std::move(correct)) {}

  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return loss_(outputs, batch);
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    return correct_ ? correct_(outputs, batch) : torch::Tensor();
  }

 private:
  BatchFunction loss_, correct_;
};

}  // namespace

std::unique_ptr<Task> make_task(BatchFunction loss, BatchFunction correct) {
  return std::make_unique<OwnTask>(std::move(loss), std::move(correct));
}

}  // namespace glidepath
