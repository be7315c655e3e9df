// src/nn/kernels/batch_norm_relu.h - batch norm, residual addition and ReLU in as few passes over memory as
// they need.
#pragma once
#include <torch/nn/modules/batchnorm.h>

namespace glidepath {

/// relu(batch_norm(x) + residual); without `residual` nothing is added, with `relu` false nothing is cut off.
///
/// x, residual  float32 or bfloat16 [N, C, H, W] of one shape and dtype.   Returns  the same.
/// Equal to torch's operators in turn: batch statistics with the biased variance in training mode, running
/// statistics updated with the unbiased one. Where a channel has one value, which torch refuses, its variance
/// is 0 and the running statistics are left alone. On the CPU, in channels_last, it reads x twice and writes
/// once forward where torch's operators take six passes; sums are taken over fixed blocks, so that the result
/// does not depend on the number of threads. Everything else goes to torch's operators. Source  Ioffe &
/// Szegedy, ICML 2015, algorithm 1 and the gradients after it.
torch::Tensor batch_norm_relu(torch::nn::BatchNorm2d& norm, const torch::Tensor& x,
                              const torch::Tensor& residual = {}, bool relu = true);

/// gelu(batch_norm_relu(norm, x, {}, false)) to the bit, with its gradients, in half as many passes over
/// memory: what the norm gives is never kept.
torch::Tensor batch_norm_gelu(torch::nn::BatchNorm2d& norm, const torch::Tensor& x);

}  // namespace glidepath
