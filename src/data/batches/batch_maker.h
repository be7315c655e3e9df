// src/data/batches/batch_maker.h - a batch from the numbers of its examples; of all but encoded images.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "glidepath/loader.h"

namespace glidepath {

/// A batch of these examples of the split. What it refers to outlives it.
using BatchMaker = std::function<Batch(const std::vector<std::int64_t>& numbers, std::int64_t epoch)>;

/// Of the training split, changed as the options say.
BatchMaker training_maker(const Dataset& dataset, const LoaderOptions& options);
/// Of a split, as it is.
BatchMaker plain_maker(const Dataset& dataset, const Split& split, torch::ScalarType dtype,
                       bool channels_last);

}  // namespace glidepath
