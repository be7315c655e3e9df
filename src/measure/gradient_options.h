// src/measure/gradient_options.h - a measure's options and a run's configuration, as the full gradient takes
// them.
#pragma once
#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "measure/full_gradient.h"
#include "train/measure_text.h"

namespace glidepath {

inline FullGradientOptions gradient_options(const MeasureItem& item, const TrainConfig& config) {
  FullGradientOptions options;
  options.batch_size = config.batch_size;
  options.images = item.images;
  options.running_statistics = item.running_statistics;
  options.bf16 = item.bf16;
  options.label_smoothing = config.label_smoothing;
  options.weight_decay = item.decay ? config.weight_decay : 0;
  options.decay_norm_bias = config.decay_norm_bias;
  return options;
}

/// Throws InputError, for the option `key`, where a measure asks for more images than there are.
inline void require_images(const MeasureItem& item, const Dataset& dataset, const char* key) {
  const std::int64_t images = dataset.train.labels.size(0);
  if (item.images <= images) return;
  throw InputError(
      fmt::format("{} \"grad-norm(images={})\": there are {} training images", key, item.images, images));
}

}  // namespace glidepath
