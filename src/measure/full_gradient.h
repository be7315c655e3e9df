// src/measure/full_gradient.h - the gradient of the mean training loss over the whole training set.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>

#include "compute/device.h"
#include "config/measure_text.h"
#include "glidepath/dataset.h"
#include "glidepath/gradients.h"
#include "glidepath/loader.h"
#include "glidepath/models.h"
#include "glidepath/task.h"

namespace glidepath {

struct FullGradientOptions {
  std::int64_t batch_size = 128;
  std::int64_t images = 0;                             ///< the first N alone; 0: all
  NormStatistics statistics = NormStatistics::kBatch;  ///< of batch norm
  /// Images cropped and flipped as a loader with these options gives them in its first epoch, in its order
  /// (batch size and type are those of here); none: as they are stored.
  std::optional<LoaderOptions> augmented;
  bool bf16 = false;  ///< convolutions and products in bf16; sums over batches stay in double
  std::shared_ptr<const Task> task = make_classification();  ///< whose loss it is
  double weight_decay = 0;      ///< weight_decay * w is added for decayed parameters
  bool decay_norm_bias = true;  ///< false: parameters of one dimension are not decayed
};

/// g* of Li et al., ICLR 2020: the gradient at fixed weights of the mean loss over all N images, each once,
/// normalised, not augmented, in the data set's order, in batches of `batch_size`, the last one smaller;
///   g* = sum over batches b of (n_b / N) * gradient of batch b's mean loss.
/// With `augmented`, the loss is that of one epoch of training batches: what training minimises, but for the
/// draw of crops. Padded borders are part of a batch's statistics, so networks that were trained with them
/// have a small loss here and not on images as they are stored, unless with running statistics. With the
/// batches' own statistics this partition is part of what is measured; with running statistics it changes
/// nothing but rounding. With fresh ones the same images pass through twice, first for their statistics.
/// Leaves weights, gradients, running statistics, mode and random generators as they were. `between_batches`,
/// where given, is called before every batch, when all of that is in place; what it throws ends the measure.
FullGradient full_gradient(Model& model, const Dataset& dataset, const FullGradientOptions& options,
                           const ComputePlan& plan, const std::function<void()>& between_batches = {});

/// The mean loss of a batch, computed as an update computes it.
torch::Tensor training_loss(Model& model, const Task& task, const Batch& batch, const ComputePlan& plan);

}  // namespace glidepath
