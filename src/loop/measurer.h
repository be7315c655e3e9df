// src/loop/measurer.h - what a run shows to its instruments, and what it asks of them.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include <nlohmann/json.hpp>

#include "compute/device.h"
#include "glidepath/dataset.h"
#include "glidepath/loader.h"
#include "glidepath/model.h"
#include "glidepath/optimizer.h"
#include "glidepath/safetensors.h"
#include "glidepath/task.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// A run as its instruments see it; everything outlives them.
struct MeasuredRun {
  const TrainConfig& config;
  const Dataset& dataset;
  const ComputePlan& plan;
  const Optimizer& optimizer;
  Model& model;
  const Task& task;
  std::int64_t steps_per_epoch;
};

/// An update whose gradients are in the model and not yet applied.
struct UpdateGradients {
  std::int64_t step;    ///< updates before it
  std::int64_t images;  ///< of its batch
  double lr;            ///< what it will be applied with
  /// The batch of the update after it, which gets the same one.
  std::function<const Batch&()> next_batch;
};

/// The instruments that TrainConfig::measure asks for. They are made above train/, in measure/, and given to
/// a run by TrainOptions::measurer; nothing here knows how anything is measured. A measurer leaves weights,
/// gradients, running statistics and random generators as they are.
class Measurer {
 public:
  virtual ~Measurer() = default;

  /// Takes the measures whose place in the configuration's list is true in `due`, and gives the fields of one
  /// record. `lr` is the rate of the next update. `between_batches` may throw: then nothing was taken.
  virtual nlohmann::ordered_json take(const std::vector<bool>& due, double lr,
                                      const std::function<void()>& between_batches) = 0;
  /// About how many seconds taking these would need, from a few batches.
  virtual double seconds(const std::vector<bool>& due) = 0;
  virtual void after_backward(const UpdateGradients& update) = 0;

  /// What a checkpoint keeps, and back; no tensors stand for a run that has not begun.
  virtual TensorMap state() const = 0;
  virtual void set_state(const TensorMap& state) = 0;
};

}  // namespace glidepath
