// src/nn/kernels/amx/narrow.h - AMX's convolutions of few channels, several pixels to a row of a tile.
#pragma once
#include <cstdint>

#include "nn/kernels/amx/shape.h"
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::amx {

/// Pixels are filled up to so many numbers at least.
constexpr std::int64_t kMostColours = 4;
/// Whether a row of a tile has room for several pixels of so many channels.
bool is_narrow(std::int64_t channels);

/// Filters w [K, side, side, C], or those of the gradient of the inputs: turned by half, channels for
/// filters.
struct Filters {
  const float* w;
  std::int64_t channels;  ///< C
  bool turned;

  float at(std::int64_t filter, std::int64_t tap, std::int64_t channel) const {
    return turned ? w[(channel * winograd::kTaps + winograd::kTaps - 1 - tap) * channels + filter]
                  : w[(filter * winograd::kTaps + tap) * channels + channel];
  }
};

/// x [N, H, W, C] of narrow C  ->  y [N, H, W, K].
void convolve_narrow(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y);
/// x [N, H, W, C] of narrow C, dy [N, H, W, K]  ->  dw [K, 3, 3, C].
void narrow_filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::amx
