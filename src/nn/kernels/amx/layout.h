// src/nn/kernels/amx/layout.h - images as lines of pixels, with zeros for their borders.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "nn/kernels/amx/shape.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/filter_sums.h"

namespace glidepath::amx {

/// The numbers of a pixel. Those of pictures, and of a row of a tile, are of a known length.
inline void copy_numbers(const Bf16* from, std::int64_t count, Bf16* to) {
  constexpr std::int64_t kColours = 3;
  switch (count) {
    case kColours:
      std::memcpy(to, from, kColours * sizeof(Bf16));
      break;
    case kRows:
      std::memcpy(to, from, kRows * sizeof(Bf16));
      break;
    default:
      std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(Bf16));
  }
}

/// Pixels of images one after another: each row of an image ends in pixels of zeros, and each image in a row
/// of them.
struct Line {
  std::int64_t channels;
  std::int64_t row;  ///< pixels from one row to the next
};

/// Where the pixels of images lie in a line: of `channels` numbers, the last of which may be zeros to fill
/// up.
struct Layout {
  Layout(const Shape& shape, std::int64_t own_channels, Line of_line)
      : height(shape.height),
        width(shape.width),
        own(own_channels),
        line(of_line),
        image((shape.height + 1) * line.row),
        lead(line.row + 1) {}

  std::int64_t pixels(std::int64_t images) const { return rounded_up(images * image, kTogether); }
  /// With zeros before the first and after the last.
  std::int64_t numbers(std::int64_t images) const {
    return (pixels(images) + 2 * lead + kTogether) * line.channels;
  }
  /// Image `which` of x as the line's i-th, but for the zeros between its pixels.
  void fill(const Bf16* x, std::int64_t which, std::int64_t i, Bf16* to) const {
    x += which * height * width * own;
    to += (lead + i * image) * line.channels;
    for (std::int64_t row = 0; row < height; ++row, x += width * own, to += line.row * line.channels) {
      if (own == line.channels) {
        std::memcpy(to, x, static_cast<std::size_t>(width * own) * sizeof(Bf16));
        continue;
      }
      for (std::int64_t column = 0; column < width; ++column)
        copy_numbers(x + column * own, own, to + column * line.channels);
    }
  }
  std::int64_t height, width, own;
  Line line;
  std::int64_t image, lead;
};

}  // namespace glidepath::amx
