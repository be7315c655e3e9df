// src/setup/first_weights.h - weights that a new run begins with, of a file or another run.
#pragma once
#include <string>
#include <vector>

#include "glidepath/model.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// What was taken from where, for people: one line, and one for each tensor.
struct FirstWeights {
  std::string told;
  std::vector<std::string> tensors;
};

/// Loads config.init into the model: a safetensors file (PyTorch's names, also with those prefixes that
/// wrappers leave), a checkpoint, or a run's folder, whose result it is or its newest checkpoint. Tensors of
/// a head for another number of classes than `classes` stay the model's. Throws InputError that begins with
/// the file, and names the first tensor that does not fit; the model is then unchanged.
FirstWeights load_first_weights(const TrainConfig& config, Model& model, std::int64_t classes);

}  // namespace glidepath
