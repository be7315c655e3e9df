// src/nn/kernels/amx/amx.h - 3x3 convolutions in bfloat16 on processors that multiply tiles (AMX).
#pragma once
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::amx {

using winograd::Shape;

// As winograd.h has them: of stride 1 and with a border of one 0, in channels_last memory, the order of sums
// a matter of the shape alone. Nothing but x, w and y is rounded: relative errors are the library's, 0.0023.

/// Whether this processor has AMX's bfloat16, which the library's kernels take too.
bool processor_has_it();
/// Whether the functions below can be called: this build has them, and the system lets tiles be used.
bool is_there();

/// Whether there are loops for these, and tiles full enough: multiples of 8, or as few channels as pictures
/// have.
bool takes(std::int64_t channels, std::int64_t filters);

/// x [N, H, W, C], w [K, 3, 3, C]  ->  y [N, H, W, K].
void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y);
/// dy [N, H, W, K], w [K, 3, 3, C]  ->  dx [N, H, W, C].
void input_gradients(const Shape& shape, const Bf16* dy, const float* w, Bf16* dx);
/// x [N, H, W, C], dy [N, H, W, K]  ->  dw [K, 3, 3, C].
void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::amx
