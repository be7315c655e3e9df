// src/nn/kernels/amx/shape.h - what a convolution of AMX's is of: sizes, and filters.
#pragma once
#include <cstdint>

#include "nn/kernels/amx/tiles.h"

namespace glidepath::amx {

/// x [N, H, W, C], filters [K, side, side, C] with a border of side / 2 zeros: of 3 x 3 with stride 1 or 2,
/// or of 1 x 1 with stride 2.
struct Shape {
  std::int64_t images, height, width, channels, filters;
  std::int64_t side = 3, stride = 1;

  std::int64_t border() const { return side / 2; }
  /// Of the outputs, whose borders leave no more out than the stride does.
  std::int64_t out_height() const { return (height - 1) / stride + 1; }
  std::int64_t out_width() const { return (width - 1) / stride + 1; }
};

/// Filters w [K, side, side, C], or those of the gradient of the inputs: turned by half, channels for
/// filters.
struct Filters {
  const float* w;
  std::int64_t channels;  ///< C
  bool turned;

  float at(std::int64_t filter, std::int64_t tap, std::int64_t channel) const {
    return turned ? w[(channel * kTaps + kTaps - 1 - tap) * channels + filter]
                  : w[(filter * kTaps + tap) * channels + channel];
  }
};

}  // namespace glidepath::amx
