// src/setup/model_shape.h - the built-in model that a configuration names, for what its data are.
#pragma once
#include "glidepath/dataset.h"
#include "glidepath/model_options.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// Made for images of `image_size`, or for an example of data of one's own. Throws InputError that names
/// model, data and shapes where the model does not take these.
ModelOptions model_options(const TrainConfig& config, const Dataset& dataset, std::int64_t image_size);

}  // namespace glidepath
