// src/nn/loss.h - cross entropy, as torch::nn::functional::cross_entropy without the headers of all modules.
#pragma once
#include <cstdint>

#include <torch/types.h>

namespace glidepath {

/// Mean over the images of -log softmax(logits)[label].
/// logits  float [N, classes].   labels  int64 [N], each in [0, classes).   label_smoothing  in [0, 1).
inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                   double label_smoothing = 0) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, label_smoothing);
}

/// Of labels that are mixed in pairs: share times the loss of `labels` and the rest that of `others`.
/// others  int64 [N].   share  float32 [N], in [0, 1].
inline torch::Tensor mixed_cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels,
                                         const torch::Tensor& others, const torch::Tensor& share,
                                         double label_smoothing) {
  const auto each = [&](const torch::Tensor& of) {
    return at::cross_entropy_loss(logits, of, {}, at::Reduction::None, -100, label_smoothing);
  };
  return (share * each(labels) + (1 - share) * each(others)).mean();
}

/// The same as cross_entropy(), summed.
inline torch::Tensor cross_entropy_sum(const torch::Tensor& logits, const torch::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum, -100, 0);
}

}  // namespace glidepath
