// src/data/batches/augment.cpp - from stored bytes to a normalised, cropped and flipped batch in one pass.
#include "data/batches/augment.h"

#include <algorithm>

#include <c10/util/BFloat16.h>
#include <torch/types.h>

#include "data/images/pixels.h"

namespace glidepath {

Normaliser::Normaliser(const Dataset& dataset) {
  for (std::size_t channel = 0; channel < dataset.mean.size(); ++channel) {
    for (int byte = 0; byte < 256; ++byte) {
      const float value =
          (static_cast<float>(byte) / 255.0F - dataset.mean[channel]) / dataset.stddev[channel];
      table_.push_back(value);
      table_bf16_.push_back(c10::BFloat16(value).x);
    }
  }
}

torch::Tensor Normaliser::table_tensor() const {
  torch::Tensor table = torch::empty({static_cast<std::int64_t>(table_.size() / 256), 256});
  std::copy(table_.begin(), table_.end(), table.data_ptr<float>());
  return table;
}

void Normaliser::write(const torch::Tensor& images, const std::vector<Crop>& crops, torch::Tensor& batch,
                       Beyond beyond) const {
  const ImageShape picture{images.size(1), images.size(2), images.size(3)};
  const bool channels_last = batch.stride(1) == 1 && picture.channels > 1;
  const auto* bytes = images.data_ptr<std::uint8_t>();
  if (batch.scalar_type() == torch::kBFloat16) {
    auto* to = reinterpret_cast<std::uint16_t*>(batch.data_ptr<c10::BFloat16>());
    write_crops(bytes, crops, picture, table_bf16_.data(), to, channels_last, beyond);
  } else {
    write_crops(bytes, crops, picture, table_.data(), batch.data_ptr<float>(), channels_last, beyond);
  }
}

}  // namespace glidepath
