// src/evaluation/fresh_statistics.h - batch norm's statistics, estimated anew after training.
#pragma once
#include <vector>

#include "compute/device.h"
#include "glidepath/loader.h"
#include "glidepath/model.h"

namespace glidepath {

/// While it lives, the norms of a model have the statistics of the batches that it was given, each image
/// counting the same, all passed through the same weights; afterwards the running ones again. Those are a
/// moving average (momentum 0.1: of the last ten updates, mostly), which lags behind the weights where
/// learning rates are high, and has not come far where updates are few. As torch.optim.swa_utils.update_bn()
/// does, but for the weighting of smaller batches. The weights stay as they are.
class FreshStatistics {
 public:
  explicit FreshStatistics(Model& model);
  ~FreshStatistics();
  FreshStatistics(const FreshStatistics&) = delete;
  FreshStatistics& operator=(const FreshStatistics&) = delete;

  /// In training mode. A batch without images does nothing.
  void add(const Batch& batch, const ComputePlan& plan);

 private:
  struct Norm {
    RunningStatistics live, before;  // the latter's tensors are copies
  };

  Model& model_;
  std::vector<Norm> norms_;
  std::int64_t images_ = 0;
};

/// Whether the model has any norm that keeps running statistics.
bool has_running_statistics(Model& model);

}  // namespace glidepath
