// src/task/segment.cpp - a class for each pixel.
#include <torch/types.h>

#include "glidepath/task.h"
#include "task/shapes.h"

namespace glidepath {
namespace {

constexpr std::int64_t kNoLabel = -100;  // that no mask has

class Segment : public Task {
 public:
  Segment(std::int64_t classes, std::int64_t ignored_label, double label_smoothing)
      : ignored_(ignored_label < 0 ? kNoLabel : ignored_label),
        label_smoothing_(label_smoothing),
        metrics_{mean_iou(classes, ignored_label), accuracy()} {}

  // LibTorch's own mean over no pixel at all is NaN; here it is nothing to learn from.
  torch::Tensor loss(const Values& outputs, const Batch& batch) const override {
    const torch::Tensor sum = at::cross_entropy_loss(checked(outputs, batch), batch.labels(), {},
                                                     at::Reduction::Sum, ignored_, label_smoothing_);
    if (ignored_ == kNoLabel) return sum / static_cast<double>(batch.labels().numel());
    return sum / batch.labels().ne(ignored_).sum().clamp_min(1);  // on the device: nobody waits for it
  }
  torch::Tensor loss_sum(const Values& outputs, const Batch& batch) const override {
    return at::cross_entropy_loss(checked(outputs, batch), batch.labels(), {}, at::Reduction::Sum, ignored_,
                                  0);
  }
  torch::Tensor correct(const Values& outputs, const Batch& batch) const override {
    // No output is an ignored label, but where that is the number of a class.
    const torch::Tensor right = outputs.front().detach().argmax(1).eq(batch.labels());
    return right.logical_and(batch.labels().ne(ignored_)).sum();
  }
  bool has_terms() const override { return true; }
  std::int64_t terms(const Batch& batch) const override {
    if (ignored_ == kNoLabel) return batch.labels().numel();
    return batch.labels().ne(ignored_).sum().item<std::int64_t>();
  }
  const std::vector<Metric>& metrics() const override { return metrics_; }

 private:
  static const torch::Tensor& checked(const Values& outputs, const Batch& batch) {
    const torch::Tensor &logits = outputs.front(), &masks = batch.labels();
    const bool fits = logits.dim() == 4 && masks.dim() == 3 && logits.size(0) == masks.size(0) &&
                      logits.size(2) == masks.size(1) && logits.size(3) == masks.size(2);
    if (!fits) refuse_shapes("segment", logits, masks, "[B, classes, H, W] for masks [B, H, W]");
    return logits;
  }

  std::int64_t ignored_;
  double label_smoothing_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::unique_ptr<Task> make_segmentation(std::int64_t classes, std::int64_t ignored_label,
                                        double label_smoothing) {
  return std::make_unique<Segment>(classes, ignored_label, label_smoothing);
}

}  // namespace glidepath
