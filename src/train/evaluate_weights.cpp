// src/train/evaluate_weights.cpp - loss and accuracy of weights from anywhere on a test split.
#include <chrono>

#include <torch/torch.h>

#include "data/images/corrupt_images.h"
#include "glidepath/error.h"
#include "glidepath/evaluate.h"
#include "train/evaluate.h"
#include "train/run_setup.h"

namespace glidepath {

EvaluationResult evaluate_weights(const TrainConfig& config, const EvaluateOptions& options) {
  check_config(config);
  const ComputePlan plan = plan_compute(config);
  Dataset dataset = load_limited(config);
  dataset.image_options.train_size = dataset.image_options.eval_size;  // the size the network is made for
  const auto model = build_model(config, dataset, plan);
  try {
    load_state_dict(*model, load_safetensors(options.weights));
  } catch (const InputError& error) {
    const std::string message = error.what(), file = options.weights.string();
    throw InputError(message.rfind(file, 0) == 0 ? message : file + ": " + message);
  }
  const auto begun = std::chrono::steady_clock::now();
  const Evaluation found = evaluate(*model, dataset, dataset.test, config.eval_batch_size, plan, [&] {
    const int signal = options.stop_signal ? options.stop_signal() : 0;
    if (signal != 0) throw Interrupted("stopped", signal);
  });
  EvaluationResult result;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  result.accuracy = found.accuracy;
  result.loss = found.loss;
  if (dataset.test.corrupt) {
    result.corrupt_images = dataset.test.corrupt->count();
    for (const std::string& line : dataset.test.corrupt->take_news()) {
      if (options.on_warning) options.on_warning(line);
    }
  }
  result.images = dataset.test.size() - result.corrupt_images;
  return result;
}

}  // namespace glidepath
