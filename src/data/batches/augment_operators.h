// src/data/batches/augment_operators.h - the batches of augment.h made by torch's operators, where the images
// lie.
#pragma once
#include <vector>

#include <torch/types.h>

#include "data/batches/augment.h"
#include "glidepath/dataset.h"

namespace glidepath {

/// Places in [-(size - 1), 2 (size - 1)] mirrored at 0 and at the last one, which stand once: int64 in [0,
/// size).
torch::Tensor reflected(const torch::Tensor& places, std::int64_t size);

/// Crops, mirrors and normalises on the device that holds a split, a handful of kernels for a whole batch.
/// Crops are chosen on the host, so a batch is the one that Normaliser writes, bit for bit.
class OperatorAugment {
 public:
  /// split  its images and labels on one device, which it keeps.   dtype  of the batches.
  OperatorAugment(const Dataset& dataset, Split split, torch::ScalarType dtype, bool channels_last);

  torch::Tensor images(const std::vector<Crop>& crops, Beyond beyond = Beyond::kBlack) const;
  torch::Tensor labels(const std::vector<Crop>& crops) const;

 private:
  torch::Tensor to_device(const std::vector<std::int64_t>& values, torch::IntArrayRef sizes) const;

  Split split_;
  bool channels_last_;
  torch::Tensor table_;           // [C, 256], in the batches' dtype
  torch::Tensor channels_;        // int64 [C]
  torch::Tensor rows_, columns_;  // int64 [1, H, 1] and [1, 1, W]
};

}  // namespace glidepath
