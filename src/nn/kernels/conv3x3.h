// src/nn/kernels/conv3x3.h - convolutions that are ours where they are faster.
#pragma once
#include <torch/nn/modules/conv.h>

#include "nn/kernels/conv_guard.h"

namespace glidepath {

/// conv(x). Under a ConvGuard 3x3 filters of stride 1 and padding 1 are applied by kernels of ours where x,
/// in channels_last, and the float32 weight are on the CPU and both channel counts are multiples of 8 that
/// fit a table: by Winograd's F(4x4, 3x3) in float32 outside autocast; in bfloat16 with sums in float32,
/// where autocast is to it, by AMX's tiles or by F(2x2, 3x3). AMX's take those of stride 2, and 1x1 ones of
/// stride 2, of 16 pictures and more too. Everything else is LibTorch's.
///
/// x  [N, C, H, W]  ->  [N, K, H / stride, W / stride], rounded up. Relative errors are about 2e-6 in float32
/// where LibTorch's are 5e-7, and the weights' gradients 1e-5 at most; in bfloat16 0.002 as LibTorch's,
/// Winograd's 0.004. Bits do not depend on the number of threads. No second derivative.
torch::Tensor convolve(torch::nn::Conv2d& conv, const torch::Tensor& x);

/// Whether convolve() takes filters [K, C, 3, 3] to kernels of ours, from sizes alone.
bool has_kernels(ConvKernels kernels, std::int64_t channels, std::int64_t filters, bool in_bf16);

}  // namespace glidepath
