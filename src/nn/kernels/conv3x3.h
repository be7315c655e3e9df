// src/nn/kernels/conv3x3.h - convolutions that are ours where they are faster.
#pragma once
#include <torch/nn/modules/conv.h>

namespace glidepath {

/// conv(x). Under a WinogradGuard 3x3 filters of stride 1 and padding 1 are applied by Winograd's F(4x4, 3x3)
/// where x and the weight are float32 on the CPU, x in channels_last, both channel counts multiples of 8 that
/// fit a table, and nothing is to be rounded to another format; everything else is LibTorch's.
///
/// x  [N, C, H, W]  ->  [N, K, H, W]. Relative errors are about 2e-6 where LibTorch's are 5e-7, and the
/// weights' gradients 1e-5 at most; bits do not depend on the number of threads. No second derivative.
torch::Tensor convolve(torch::nn::Conv2d& conv, const torch::Tensor& x);

/// Whether convolve() takes filters [K, C, 3, 3] to Winograd's kernels, from sizes alone.
bool fits_winograd(std::int64_t channels, std::int64_t filters);

}  // namespace glidepath
