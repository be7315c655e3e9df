// src/data/own/normalised.cpp - bytes of images as a network takes them.
#include "data/own/normalised.h"

#include <cmath>

namespace glidepath {

void ByteCounts::add(const torch::Tensor& images) {
  const std::int64_t channels = images.size(1), area = images.size(2) * images.size(3);
  const auto* byte = images.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      std::int64_t* counts = counts_.data() + static_cast<std::size_t>(channel) * kBytes;
      for (std::int64_t at = 0; at < area; ++at) ++counts[*byte++];
    }
  }
}

ChannelStatistics ByteCounts::statistics() const {
  ChannelStatistics found;
  for (std::size_t channel = 0; channel < counts_.size() / kBytes; ++channel) {
    double all = 0, sum = 0, squares = 0;
    for (std::size_t byte = 0; byte < kBytes; ++byte) {
      const auto count = static_cast<double>(counts_[channel * kBytes + byte]);
      const double value = static_cast<double>(byte) / 255;
      all += count;
      sum += count * value;
      squares += count * value * value;
    }
    const double mean = all > 0 ? sum / all : 0;
    const double variance = all > 0 ? squares / all - mean * mean : 0;
    found.mean.push_back(static_cast<float>(mean));
    found.stddev.push_back(variance > 1e-12 ? static_cast<float>(std::sqrt(variance)) : 1);
  }
  return found;
}

torch::Tensor normalised(const torch::Tensor& images, const ChannelStatistics& statistics) {
  const auto by_channel = [&](const std::vector<float>& values) {
    return torch::tensor(values).view({1, images.size(1), 1, 1});
  };
  return images.to(torch::kFloat32)
      .div_(255)
      .sub_(by_channel(statistics.mean))
      .div_(by_channel(statistics.stddev));
}

}  // namespace glidepath
