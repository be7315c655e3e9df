// src/loop/loss_window.h - loss and accuracy of the last epoch's updates.
#pragma once
#include <cstdint>
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// Remembers the last `capacity` updates. On a CUDA device values are fetched only when asked for, so that
/// the host does not wait for every update.
class LossWindow {
 public:
  struct Mean {
    double loss = 0;
    double accuracy = 0;
  };

  explicit LossWindow(std::int64_t capacity);

  /// Tells the mean loss (0-dim) and number of right answers (0-dim) of one update over `images` images, or
  /// other terms of a task.
  void add(const torch::Tensor& loss, const torch::Tensor& correct, std::int64_t images);
  /// Mean over the images of the last `updates` updates, at most `capacity` and as many as there were.
  Mean mean(std::int64_t updates);
  /// The last update's loss, fetched.
  double last_loss();

  /// To and from a checkpoint: float64 [3, capacity + 1].
  torch::Tensor state();
  void set_state(const torch::Tensor& state);

 private:
  struct Pending {
    torch::Tensor loss, correct;
    std::int64_t images;
  };
  void fetch();

  std::int64_t capacity_;
  std::int64_t count_ = 0;  // updates ever added
  std::vector<double> loss_, correct_, images_;
  std::vector<Pending> pending_;
};

}  // namespace glidepath
