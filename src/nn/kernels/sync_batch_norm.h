// src/nn/kernels/sync_batch_norm.h - batch norm with the statistics of a batch that is spread over processes.
#pragma once
#include <functional>

#include <torch/nn/modules/batchnorm.h>

namespace glidepath {

/// Adds up a float64 tensor over all processes, in place.
using SumOverRanks = std::function<void(torch::Tensor)>;

/// While alive, batch_norm_relu() in training mode takes its mean and variance over the parts of all
/// processes, which may differ in size; for the backward pass that follows too, whichever thread
/// runs it. Every process must run the same norms in the same order.
class SyncBatchNormGuard {
 public:
  /// `counts` false: the images of this process stand in for none, take part in everything and change
  /// nothing.
  explicit SyncBatchNormGuard(SumOverRanks sum, bool counts = true);
  ~SyncBatchNormGuard();
  SyncBatchNormGuard(const SyncBatchNormGuard&) = delete;
  SyncBatchNormGuard& operator=(const SyncBatchNormGuard&) = delete;

  /// What is in force in this thread; empty for none.
  static const SumOverRanks& sum();
  static bool counts();

 private:
  SumOverRanks before_;
  bool counted_before_;
};

/// The norm alone, in training mode, by torch's operators on any device and in any memory format: what
/// torch's batch norm gives for the whole batch in one process, for x, weight, bias and running statistics;
/// where a channel has one value in all, its variance is 0 and the running statistics are left alone.
/// x  float32 or bfloat16 [N, C, H, W].  Returns  the same.
/// Source  Ioffe & Szegedy, ICML 2015, algorithm 1 and the gradients after it, with sums over all processes.
torch::Tensor sync_batch_norm(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, const SumOverRanks& sum,
                              bool counts = true);

}  // namespace glidepath
