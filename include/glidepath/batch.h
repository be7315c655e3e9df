// include/glidepath/batch.h - examples that a model is given together.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// What a model takes, or gives: one tensor, or several.
using Values = std::vector<torch::Tensor>;

/// The first dimension of every tensor is the examples'.
struct Batch {
  Values inputs;   ///< what the model is given
  Values targets;  ///< what its outputs are held against
  std::int64_t examples =
      0;  ///< may be 0: a rank's part of a small batch, or pictures that cannot be decoded

  Batch() = default;
  /// images  float32 or bfloat16 [B, C, H, W], normalised, in the memory format asked for.
  /// labels  int64 [B].
  Batch(torch::Tensor images, torch::Tensor labels) : examples(labels.size(0)) {
    inputs.push_back(std::move(images));
    targets.push_back(std::move(labels));
  }
  const torch::Tensor& images() const { return inputs.front(); }
  const torch::Tensor& labels() const { return targets.front(); }
};

}  // namespace glidepath
