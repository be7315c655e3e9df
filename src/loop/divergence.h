// src/loop/divergence.h - a loss that is no number any more: where it began.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "compute/device.h"
#include "glidepath/loader.h"
#include "glidepath/model.h"
#include "glidepath/optimizer.h"

namespace glidepath {

/// Thrown inside the training loop, which stops the run or takes it back.
struct Diverged {
  std::int64_t update = 0;  ///< the update (counted from 1) whose loss or weights are not finite
  double lr = 0;            ///< of that update
  double loss = 0;
  std::string where;  ///< what first_not_finite found; empty: nothing
};

/// The first weight, else state of the optimizer, else statistic of batch norm, in the model's order, with a
/// NaN or an infinity: "the weight fc1.weight (1 of 6 tensors)". Empty when all are finite.
std::string first_not_finite(const Model& model, const NamedTensors& optimizer_state);

/// The same; when all weights are finite, forward is done once more in training mode and every operator's
/// output looked at in turn, which finds the layer: "the output of layer1.0.conv2". Costs a slow forward and
/// leaves the running statistics of batch norm changed.
std::string first_not_finite(Model& model, const NamedTensors& optimizer_state, const Batch& batch,
                             const ComputePlan& plan);

}  // namespace glidepath
