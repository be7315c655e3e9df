// src/nn/kernels/sync_batch_norm.h - batch norm with the statistics of a batch that is spread over processes.
#pragma once
#include <torch/nn/modules/batchnorm.h>

#include "nn/kernels/sum_over_ranks.h"

namespace glidepath {

/// The norm alone, in training mode, by torch's operators on any device and in any memory format: what
/// torch's batch norm gives for the whole batch in one process, for x, weight, bias and running statistics;
/// where a channel has one value in all, its variance is 0 and the running statistics are left alone.
/// x  float32 or bfloat16 [N, C, H, W].  Returns  the same.
/// Source  Ioffe & Szegedy, ICML 2015, algorithm 1 and the gradients after it, with sums over all processes.
torch::Tensor sync_batch_norm(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, const SumOverRanks& sum,
                              bool counts = true);

}  // namespace glidepath
