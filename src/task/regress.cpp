// src/task/regress.cpp - numbers.
#include <torch/types.h>

#include "glidepath/task.h"
#include "task/shapes.h"

namespace glidepath {
namespace {

class Regress : public Task {
 public:
  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    return squared_error(outputs, batch, at::Reduction::Mean);
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return squared_error(outputs, batch, at::Reduction::Sum);
  }
  bool has_terms() const override { return true; }
  std::int64_t terms(const Batch& batch) const override { return batch.targets.front().numel(); }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  static torch::Tensor squared_error(const Values& outputs, const Batch& batch, std::int64_t reduction) {
    const torch::Tensor &numbers = outputs.front(), &targets = batch.targets.front();
    // One number an example may come as a column.
    if (numbers.numel() != targets.numel() || numbers.size(0) != targets.size(0))
      refuse_shapes("regress", numbers, targets, "as many numbers for each example");
    return at::mse_loss(numbers.view_as(targets), targets.to(numbers.scalar_type()), reduction);
  }

  std::vector<Metric> metrics_{root_mean_squared_error(), mean_absolute_error()};
};

}  // namespace

std::unique_ptr<Task> make_regression() { return std::make_unique<Regress>(); }

}  // namespace glidepath
