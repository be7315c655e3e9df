// src/nn/kernels/amx/narrow.h - AMX's convolutions of few channels, several pixels to a row of a tile.
#pragma once
#include <cstdint>

#include "nn/kernels/amx/shape.h"

namespace glidepath::amx {

/// Pixels are filled up to so many numbers at least.
constexpr std::int64_t kMostColours = 4;
/// Whether a row of a tile has room for several pixels of so many channels.
bool is_narrow(std::int64_t channels);

/// x [N, H, W, C] of narrow C  ->  y [N, H, W, K].
void convolve_narrow(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y);
/// x [N, H, W, C] of narrow C, dy [N, H, W, K]  ->  dw [K, 3, 3, C].
void narrow_filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::amx
