// src/optim/loss_scaler.h - the factor that lifts fp16 gradients above the smallest number of fp16.
#pragma once
#include <cstdint>
#include <vector>

#include <torch/types.h>

namespace glidepath {

struct LossScalerOptions {
  double initial = 65536;
  double growth = 2;     ///< factor after `growth_interval` updates in a row without overflow
  double backoff = 0.5;  ///< factor after an overflow
  std::int64_t growth_interval = 2000;
};

/// Dynamic loss scaling. The loss is multiplied by the scale before backward, and gradients are divided by it
/// after. Where one of them is not finite then, the scale was too high: the update is skipped, and the scale
/// falls. Source: Micikevicius et al., ICLR 2018; term for term torch.amp.GradScaler's.
///
/// What is a pure function of its input on the device stays there: scaled() may be captured in a CUDA graph.
class LossScaler {
 public:
  explicit LossScaler(const torch::Device& device, const LossScalerOptions& options = {});

  /// loss * scale, with its gradient.
  torch::Tensor scaled(const torch::Tensor& loss) const { return loss * scale_; }

  /// Divides the gradients by the scale, in place, and adapts the scale. Returns whether all were finite:
  /// where not, the update is to be skipped. Waits for the device.
  bool unscale(const std::vector<torch::Tensor>& gradients);

  std::int64_t skipped() const { return skipped_; }  ///< updates, since the run began
  double scale() const { return scale_.item<double>(); }
  /// True when gradients overflow however small the scale: then they are not finite by themselves.
  bool is_exhausted() const;

  /// To and from a checkpoint: float64 [3], the scale, updates since it changed, updates skipped.
  torch::Tensor state() const;
  /// Throws InputError for a tensor of another shape. An undefined one is a run that begins.
  void set_state(const torch::Tensor& state);

 private:
  void unscale_with_operators(const std::vector<torch::Tensor>& gradients);
  void adapt();

  LossScalerOptions options_;
  torch::Tensor scale_, found_inf_;  // float32, 0-dim
  torch::Tensor growth_tracker_;     // int32, 0-dim
  std::int64_t skipped_ = 0;
};

}  // namespace glidepath
