// src/data/own/image_table.h - decoded pixels as a network takes them.
#pragma once
#include <array>
#include <cstddef>

#include "data/formats/decode.h"
#include "data/sets/set_facts.h"

namespace glidepath {

/// Normalised as image folders are: by ImageNet's mean and deviation.
class ImageTable {
 public:
  ImageTable() {
    const SetFacts facts = set_facts("imagefolder:").value();
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (std::size_t byte = 0; byte < 256; ++byte)
        table_[channel][byte] =
            (static_cast<float>(byte) / 255 - facts.mean[channel]) / facts.stddev[channel];
    }
  }
  /// Rows of kPixelBytes bytes a pixel into [3, height, width]; returns what lies behind it.
  float* write(const unsigned char* pixels, std::size_t row_bytes, ImageSize size, float* to) const {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      for (int y = 0; y < size.height; ++y) {
        const unsigned char* row = pixels + static_cast<std::size_t>(y) * row_bytes + channel;
        for (int x = 0; x < size.width; ++x)
          *to++ = table_[channel][row[static_cast<std::size_t>(x) * kPixelBytes]];
      }
    }
    return to;
  }

 private:
  std::array<std::array<float, 256>, 3> table_{};
};

}  // namespace glidepath
