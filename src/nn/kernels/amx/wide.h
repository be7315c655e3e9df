// src/nn/kernels/amx/wide.h - AMX's convolutions of many channels, a row of a tile for each of several
// images.
#pragma once
#include <cstdint>

#include "nn/kernels/amx/shape.h"

namespace glidepath::amx {

/// x [N, H, W, C]  ->  y [N, out H, out W, K], or by turned filters dy to dx. With stride 2, of kRows images
/// or more.
void convolve_wide(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y);
/// x [N, H, W, C], dy [N, out H, out W, K]  ->  dw [K, side, side, C].
void wide_filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::amx
