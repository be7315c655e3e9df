// src/nn/kernels/gelu.h - the Gaussian error linear unit.
#pragma once
#include <torch/types.h>

namespace glidepath {

/// x P(x), P the standard normal distribution's: torch::gelu's, to 3e-7 of max(1, |x|) and likewise its
/// gradient, in float32 and bfloat16 on the CPU; anything else is LibTorch's. No second derivative.
torch::Tensor gelu(const torch::Tensor& x);

}  // namespace glidepath
