// src/study/plan/own_size.h - how many examples files of one's own have to train on, without reading them.
#pragma once
#include <cstdint>
#include <optional>

#include "glidepath/train_config.h"

namespace glidepath {

/// Of tensors:, tokens: and segmentation:PATH, from headers, sizes and names of files. Nothing for other
/// data, and for files that are not there or not what they should be, of which the runs will tell.
std::optional<std::int64_t> count_own_examples(const TrainConfig& config);

}  // namespace glidepath
