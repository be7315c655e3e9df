// src/nn/kernels/amx/amx.h - convolutions in bfloat16 on processors that multiply tiles (AMX).
#pragma once
#include "nn/kernels/amx/shape.h"
#include "nn/kernels/bf16.h"

namespace glidepath::amx {

// In channels_last memory, the order of sums a matter of the shape alone. Nothing but x, w and y is rounded:
// relative errors are the library's, 0.0023.

/// Whether this processor has AMX's bfloat16, which the library's kernels take too.
bool processor_has_it();
/// Whether the functions below can be called: this build has them, and the system lets tiles be used.
bool is_there();

/// Whether there are loops for 3x3 filters of stride 1, and tiles full enough: multiples of 8, or as few
/// channels as pictures have.
bool takes(std::int64_t channels, std::int64_t filters);
/// The same of filters of stride 2, whose tiles are of several images.
bool takes_strided(std::int64_t images, std::int64_t channels, std::int64_t filters);

/// x [N, H, W, C], w [K, side, side, C]  ->  y [N, out H, out W, K].
void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y);
/// dy [N, out H, out W, K], w [K, side, side, C]  ->  dx [N, H, W, C].
void input_gradients(const Shape& shape, const Bf16* dy, const float* w, Bf16* dx);
/// x [N, H, W, C], dy [N, out H, out W, K]  ->  dw [K, side, side, C].
void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::amx
