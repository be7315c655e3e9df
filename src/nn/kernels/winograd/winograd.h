// src/nn/kernels/winograd/winograd.h - 3x3 convolutions of float32 numbers with a quarter of the products.
#pragma once
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::winograd {

// Of stride 1 and with a border of one 0: outputs are as high and wide as inputs. Pointers are to whole
// arrays in channels_last memory. What a sum's order is depends on the shape alone, not on the number of
// threads; relative errors are about 1e-6 (the library's: 1e-7).

/// Null where this processor has neither AVX-512 nor AVX2; what fits few filters differs.
const Kernels* kernels_for(std::int64_t filters);
/// Whether the functions below take this: multiples of 8 channels, up to 4096.
bool takes(const Shape& shape);

/// x [N, H, W, C], w [3, 3, C, K]  ->  y [N, H, W, K]. With dy and flipped, transposed filters: dx.
void forward(const Shape& shape, const float* x, const float* w, float* y);
/// x [N, H, W, C], dy [N, H, W, K]  ->  dw [3, 3, C, K].
void filter_gradients(const Shape& shape, const float* x, const float* dy, float* dw);

}  // namespace glidepath::winograd
