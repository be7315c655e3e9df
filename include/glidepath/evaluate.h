// include/glidepath/evaluate.h - loss, accuracy and confusions of weights from anywhere on a test split.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "glidepath/train.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// Images of one class.
struct ClassResult {
  std::string name;             ///< the data set's, or the class's number
  std::int64_t images = 0;      ///< looked at
  std::int64_t correct = 0;     ///< of them
  std::int64_t taken_for = -1;  ///< the class that most of the others were taken for; -1: all are right
  std::int64_t mistaken = 0;    ///< how many were
};

struct EvaluationResult {
  std::filesystem::path file;       ///< the weights
  std::int64_t step = -1;           ///< of a checkpoint: updates done; -1 for other files
  double accuracy = 0;              ///< top-1, in [0, 1], of the images that could be decoded; of other tasks
                                    ///< the share that is right, NaN where that is no question
  double loss = 0;                  ///< of the task, in the mean, >= 0
  std::vector<ToldMetric> metrics;  ///< of the task beside these, by their own names, the score first
  std::int64_t images = 0;          ///< looked at
  std::int64_t corrupt_images = 0;  ///< left out, as they could not be decoded
  double seconds = 0;               ///< of the evaluation alone
  std::vector<ClassResult> classes;  ///< of classification alone, as is the next
  /// Images by class (row) and the class they were taken for (column).
  std::vector<std::vector<std::int64_t>> confusion;
  std::string tested_on;  ///< the split, by the name of its folder; empty for images in memory
};

struct EvaluateOptions {
  /// Told of images that are left out, of what is waited for, and of what of the weights was passed over.
  std::function<void(const std::string&)> on_warning;
  std::function<void(const std::string&)> on_note;  ///< as TrainOptions::on_note
  std::function<int()> stop_signal;                 ///< asked between batches, as TrainOptions::stop_signal
};

/// Tests the model of `config` (data, data_dir, test_limit, model, width, stem, eval_res, ...; what is about
/// training is of no consequence) with the weights of a file: safetensors with torchvision's names, or the
/// model.safetensors of a run. Throws InputError for a wrong configuration, data set or file, RunError where
/// more images than max_corrupt cannot be decoded or data cannot be read for data_wait, Interrupted on a
/// signal.
EvaluationResult evaluate_weights(const TrainConfig& config, const std::filesystem::path& weights,
                                  const EvaluateOptions& options = {});

/// Tests what a run has left (its result, or its newest checkpoint where it has none; a file in it; of its
/// folder checkpoint every one, the oldest first) as its config.toml says, but for the options that are set
/// anew by `changes` (key -> text). Throws as evaluate_weights() does.
std::vector<EvaluationResult> evaluate_run(const std::filesystem::path& run,
                                           const std::map<std::string, std::string>& changes = {},
                                           const EvaluateOptions& options = {});

}  // namespace glidepath
