// include/glidepath/evaluate.h - loss and accuracy of weights from anywhere on a test split.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

struct EvaluationResult {
  double accuracy = 0;              ///< top-1, in [0, 1], of the images that could be decoded
  double loss = 0;                  ///< mean cross-entropy, >= 0
  std::int64_t images = 0;          ///< looked at
  std::int64_t corrupt_images = 0;  ///< left out, as they could not be decoded
  double seconds = 0;               ///< of the evaluation alone
};

struct EvaluateOptions {
  std::filesystem::path weights;  ///< safetensors with torchvision's names, or the model.safetensors of a run
  std::function<void(const std::string&)> on_warning;  ///< told of images that are left out
  std::function<int()> stop_signal;  ///< asked between batches, as TrainOptions::stop_signal
};

/// Tests the model of `config` (data, data_dir, test_limit, model, width, stem, eval_res, ...; what is about
/// training is of no consequence) with the weights of a file. Throws InputError for a wrong configuration,
/// data set or file, RunError where more images than max_corrupt cannot be decoded, Interrupted on a signal.
EvaluationResult evaluate_weights(const TrainConfig& config, const EvaluateOptions& options);

}  // namespace glidepath
