// src/data/batches/augment.h - from stored bytes to a normalised, cropped and flipped batch in one pass.
#pragma once
#include <cstdint>
#include <vector>

#include <torch/types.h>

#include "data/images/pixels.h"
#include "glidepath/dataset.h"

namespace glidepath {

/// Turns bytes into numbers: (byte / 255 - mean) / stddev, from a table of 256 values a channel, in float32
/// or bfloat16 (rounded to nearest even from the float32 value).
class Normaliser {
 public:
  explicit Normaliser(const Dataset& dataset);

  /// images uint8 [N, C, H, W] contiguous; batch [crops, C, H, W] float32 or bfloat16, contiguous or
  /// channels_last.
  void write(const torch::Tensor& images, const std::vector<Crop>& crops, torch::Tensor& batch,
             Beyond beyond = Beyond::kBlack) const;
  /// [C][256], by channel and byte; bfloat16 as its bits.
  const float* table() const { return table_.data(); }
  const std::uint16_t* table_bf16() const { return table_bf16_.data(); }

  /// The numbers of all bytes: float32 [C, 256].
  torch::Tensor table_tensor() const;

 private:
  std::vector<float> table_;               // [C][256]
  std::vector<std::uint16_t> table_bf16_;  // the same in bfloat16 bits
};

}  // namespace glidepath
