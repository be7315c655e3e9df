// src/nn/kernels/gelu_kernels.h - the loops of the Gaussian error linear unit, for each instruction set.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath {

/// y = x P(x), P the standard normal distribution's, to 2e-7 of max(1, |x|).
void gelu_values(const float* x, float* y, std::int64_t count);
void gelu_values(const Bf16* x, Bf16* y, std::int64_t count);
/// dx = dy (P(x) + x p(x)), p the density.
void gelu_gradients(const float* x, const float* dy, float* dx, std::int64_t count);
void gelu_gradients(const Bf16* x, const Bf16* dy, Bf16* dx, std::int64_t count);

}  // namespace glidepath
