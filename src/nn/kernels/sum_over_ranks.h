// src/nn/kernels/sum_over_ranks.h - whether batch norm's sums are taken over all processes, and how.
#pragma once
#include <functional>

#include <torch/types.h>

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

}  // namespace glidepath
