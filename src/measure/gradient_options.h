// src/measure/gradient_options.h - a measure's options and a run's configuration, as the full gradient takes
// them.
#pragma once
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "config/budget_scale.h"
#include "config/measure_text.h"
#include "glidepath/error.h"
#include "measure/full_gradient.h"
#include "setup/run_setup.h"

namespace glidepath {

/// Crops and flips of a measure are not those of any epoch that is trained on, and the same at every moment.
constexpr std::uint64_t kMeasuredCrops = 0x9E3779B97F4A7C15;

inline FullGradientOptions gradient_options(const MeasureItem& item, const TrainConfig& config,
                                            const ComputePlan& plan, const Dataset& dataset,
                                            std::shared_ptr<const Task> task) {
  FullGradientOptions options;
  if (item.augment) {
    options.augmented = loader_options(config, plan, dataset);
    options.augmented->seed += kMeasuredCrops;
    options.augmented->augment = true;
  }
  options.batch_size = config.batch_size;
  options.images = item.images;
  options.statistics = item.statistics;
  options.bf16 = item.bf16;
  options.task = std::move(task);
  const std::int64_t steps = (dataset.train.size() + config.batch_size - 1) / config.batch_size;
  options.weight_decay = item.decay ? at_its_budget(config, steps).weight_decay : 0;
  options.decay_norm_bias = config.decay_norm_bias;
  return options;
}

/// Throws InputError, for the option `key`, where a measure asks for more images than there are.
inline void require_images(const MeasureItem& item, const Dataset& dataset, const char* key) {
  const std::int64_t images = dataset.train.size();
  if (item.images <= images) return;
  throw InputError(
      fmt::format("{} \"grad-norm(images={})\": there are {} training images", key, item.images, images));
}

}  // namespace glidepath
