// src/data/own/normalised.h - bytes of images as a network takes them.
#pragma once
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// By channel, on the [0, 1] scale.
struct ChannelStatistics {
  std::vector<float> mean, stddev;
};

/// Counts how often each byte is there, image by image; a channel of one value alone has the deviation 1.
class ByteCounts {
 public:
  explicit ByteCounts(std::int64_t channels) : counts_(static_cast<std::size_t>(channels) * kBytes) {}
  /// images uint8 [N, C, H, W] contiguous.
  void add(const torch::Tensor& images);
  ChannelStatistics statistics() const;

 private:
  static constexpr std::size_t kBytes = 256;
  std::vector<std::int64_t> counts_;  // [C][256]
};

/// images uint8 [N, C, H, W] -> float32, (x / 255 - mean) / stddev.
torch::Tensor normalised(const torch::Tensor& images, const ChannelStatistics& statistics);

}  // namespace glidepath
