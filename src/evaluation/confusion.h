// src/evaluation/confusion.h - which class was taken for which.
#pragma once
#include <cstdint>

#include <torch/types.h>

namespace glidepath {

/// Counts of images by their class (row) and the class they were taken for (column).
class Confusion {
 public:
  explicit Confusion(std::int64_t classes)
      : classes_(classes), counts_(torch::zeros({classes * classes}, torch::kInt64)) {}

  /// labels, predictions  int64 [N], each in [0, classes), on any device.
  void add(const torch::Tensor& labels, const torch::Tensor& predictions) {
    const torch::Tensor cells = (labels * classes_ + predictions).to(torch::kCPU);
    counts_ += torch::bincount(cells, {}, classes_ * classes_);
  }
  std::int64_t count(std::int64_t is, std::int64_t taken_for) const {
    return counts_.data_ptr<std::int64_t>()[is * classes_ + taken_for];
  }

 private:
  std::int64_t classes_;
  torch::Tensor counts_;  // [classes * classes]
};

}  // namespace glidepath
