// src/nn/kernels/max_pool.h - the largest of each square of four pixels.
#pragma once
#include <torch/types.h>

namespace glidepath {

/// torch::max_pool2d(x, 2), to the bit, and its gradient: x [N, C, H, W] -> [N, C, H / 2, W / 2], rounded
/// down. Own kernels in float32 and bfloat16 on the CPU in channels_last, which remember a byte for each
/// value instead of eight; anything else is LibTorch's. No second derivative.
torch::Tensor max_pool(const torch::Tensor& x);

}  // namespace glidepath
