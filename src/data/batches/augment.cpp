// src/data/batches/augment.cpp - from stored bytes to a normalised, cropped and flipped batch in one pass.
#include "data/batches/augment.h"

#include <algorithm>

#include <c10/util/BFloat16.h>
#include <torch/types.h>

namespace glidepath {
namespace {

struct Picture {
  std::int64_t channels, height, width;
  std::int64_t size() const { return channels * height * width; }
};

/// One row of one channel: `from` is the picture's row, or null for a row of padding.
template <typename T>
void write_row(const std::uint8_t* from, const T* table, const Crop& crop, std::int64_t width, T* to,
               std::int64_t pixel_stride) {
  const std::int64_t step = crop.mirrored ? -pixel_stride : pixel_stride;
  if (crop.mirrored) to += (width - 1) * pixel_stride;
  // The window [left, left + width) of the row: padding, then pixels, then padding.
  const std::int64_t left = from == nullptr ? width : crop.left;
  const std::int64_t before = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t pixels_end = std::clamp<std::int64_t>(width - left, 0, width);
  std::int64_t x = 0;
  for (; x < before; ++x) to[x * step] = table[0];
  for (; x < pixels_end; ++x) to[x * step] = table[from[x + left]];
  for (; x < width; ++x) to[x * step] = table[0];
}

template <typename T>
void write_crops(const std::uint8_t* images, const std::vector<Crop>& crops, const Picture& picture,
                 const T* table, T* batch, bool channels_last) {
  const std::int64_t pixel_stride = channels_last ? picture.channels : 1;
  const std::int64_t channel_stride = channels_last ? 1 : picture.height * picture.width;
  for (const Crop& crop : crops) {
    const std::uint8_t* image = images + crop.image * picture.size();
    for (std::int64_t channel = 0; channel < picture.channels; ++channel) {
      for (std::int64_t row = 0; row < picture.height; ++row) {
        const std::int64_t source = row + crop.top;
        const bool inside = source >= 0 && source < picture.height;
        write_row(inside ? image + (channel * picture.height + source) * picture.width : nullptr,
                  table + channel * 256, crop, picture.width,
                  batch + channel * channel_stride + row * picture.width * pixel_stride, pixel_stride);
      }
    }
    batch += picture.size();
  }
}

}  // namespace

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

void Normaliser::write(const torch::Tensor& images, const std::vector<Crop>& crops,
                       torch::Tensor& batch) const {
  const Picture picture{images.size(1), images.size(2), images.size(3)};
  const bool channels_last = batch.stride(1) == 1 && picture.channels > 1;
  const auto* bytes = images.data_ptr<std::uint8_t>();
  if (batch.scalar_type() == torch::kBFloat16) {
    auto* to = reinterpret_cast<std::uint16_t*>(batch.data_ptr<c10::BFloat16>());
    write_crops(bytes, crops, picture, table_bf16_.data(), to, channels_last);
  } else {
    write_crops(bytes, crops, picture, table_.data(), batch.data_ptr<float>(), channels_last);
  }
}

}  // namespace glidepath
