// src/nn/kernels/winograd/winograd.h - 3x3 convolutions with a quarter, or four ninths, of the products.
#pragma once
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::winograd {

// Of stride 1 and with a border of one 0: outputs are as high and wide as inputs. Pointers are to whole
// arrays in channels_last memory. What a sum's order is depends on the shape alone, not on the number of
// threads. Relative errors are about 1e-6 in float32 (the library's: 1e-7), 0.004 in bfloat16 (0.0023), whose
// transformed tiles are rounded to it and whose products are added up in float32.

/// Null where this processor has neither AVX-512 nor AVX2; what fits few filters differs.
const FloatKernels* kernels_for(std::int64_t filters);
/// Null where this processor has no AVX-512 BF16.
const Bf16Kernels* bf16_kernels();
/// Whether the functions below take this: multiples of 8 channels, up to 4096.
bool takes(const Shape& shape);

/// x [N, H, W, C], w [3, 3, C, K]  ->  y [N, H, W, K]. With dy and flipped, transposed filters: dx.
void forward(const Shape& shape, const float* x, const float* w, float* y);
void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y);
/// x [N, H, W, C], dy [N, H, W, K]  ->  dw [3, 3, C, K].
void filter_gradients(const Shape& shape, const float* x, const float* dy, float* dw);
void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw);

}  // namespace glidepath::winograd
