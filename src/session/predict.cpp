// src/session/predict.cpp - what a trained model says of images that nobody has labelled.
#include "glidepath/predict.h"

#include <algorithm>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "config/own_programs.h"
#include "core/data_names.h"
#include "data/batches/augment.h"
#include "data/formats/decode.h"
#include "data/images/transforms.h"
#include "data/stores/image_name.h"
#include "evaluation/test_views.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/train.h"
#include "model/in_mode.h"
#include "run/run_weights.h"
#include "session/predict_own.h"
#include "session/wanted_images.h"
#include "setup/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Some images as the model takes them. Those that cannot be had have a problem, and zeros.
class PreparedImages {
 public:
  explicit PreparedImages(const WantedImages& wanted) : wanted_(wanted) {}

  /// uint8 [images, channels, side, side].
  torch::Tensor prepare(const std::vector<std::string>& names, std::vector<std::string>& problems) const {
    const auto count = static_cast<std::int64_t>(names.size());
    torch::Tensor images =
        torch::zeros({count, wanted_.facts.channels, wanted_.side, wanted_.side}, torch::kUInt8);
    problems.assign(names.size(), {});
    at::parallel_for(0, count, 1, [&](std::int64_t first, std::int64_t last) {
      ImageTransformer transformer(wanted_.exif_orientation);
      std::vector<unsigned char> buffer;
      for (std::int64_t i = first; i < last; ++i) {
        const auto at = static_cast<std::size_t>(i);
        try {
          read_file(names[at], buffer, kLargestImageFile);
          write(transformer, buffer, images[i].data_ptr<std::uint8_t>());
        } catch (const std::exception& error) {
          problems[at] = error.what();
        }
      }
    });
    return images;
  }

 private:
  void write(ImageTransformer& transformer, const std::vector<unsigned char>& file, std::uint8_t* to) const {
    StoredImage stored;
    stored.data = file.data();
    stored.bytes = file.size();
    transformer.open(stored);
    const unsigned char* pixels =
        transformer.centre_crop(static_cast<int>(wanted_.resize), static_cast<int>(wanted_.side));
    const std::int64_t area = wanted_.side * wanted_.side;
    for (std::int64_t i = 0; i < area; ++i, pixels += kPixelBytes) {
      if (wanted_.facts.channels == 1) {  // as Pillow's convert("L")
        to[i] = static_cast<std::uint8_t>(
            (19595 * pixels[0] + 38470 * pixels[1] + 7471 * pixels[2] + 0x8000) >> 16);
      } else {
        for (std::int64_t channel = 0; channel < 3; ++channel) to[channel * area + i] = pixels[channel];
      }
    }
  }

  const WantedImages& wanted_;
};

class Predictor {
 public:
  Predictor(const RunWeights& weights, const TrainConfig& config)
      : config_(config),
        plan_(plan_compute(config)),
        wanted_(wanted_images(config, weights.run)),
        normaliser_(normaliser_of(wanted_.facts)),
        model_(model_of(weights, config_, model_options(config_, wanted_), plan_)) {}

  void predict(const std::vector<std::string>& names, std::int64_t top,
               const std::function<void(const Prediction&)>& on_prediction) {
    std::vector<std::string> problems;
    const torch::Tensor images = PreparedImages(wanted_).prepare(names, problems);
    const torch::Tensor shares = probabilities_of(images);
    const auto [best, labels] = shares.topk(std::min(top, shares.size(1)), 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      Prediction prediction{names[i], {}, problems[i], {}, {}};
      const auto row = static_cast<std::int64_t>(i);
      for (std::int64_t rank = 0; problems[i].empty() && rank < best.size(1); ++rank) {
        const auto label = labels[row][rank].item<std::int64_t>();
        prediction.classes.push_back(
            {label, class_name(wanted_.facts, label), best[row][rank].item<double>()});
      }
      on_prediction(prediction);
    }
  }

 private:
  static Normaliser normaliser_of(const SetFacts& facts) {
    Dataset dataset;
    dataset.mean = facts.mean;
    dataset.stddev = facts.stddev;
    return Normaliser(dataset);
  }

  torch::Tensor probabilities_of(const torch::Tensor& images) {
    const at::NoGradGuard no_grad;
    const InMode mode(*model_, false);
    std::vector<Crop> crops(static_cast<std::size_t>(images.size(0)));
    for (std::size_t i = 0; i < crops.size(); ++i) crops[i].image = static_cast<std::int64_t>(i);
    torch::Tensor batch =
        torch::empty(images.sizes(), torch::TensorOptions(plan_.bf16 ? torch::kBFloat16 : torch::kFloat32)
                                         .memory_format(plan_.memory_format()));
    normaliser_.write(images, crops, batch);
    const Values outputs =
        outputs_over(test_views(config_.test_augment), *model_, {batch.to(plan_.device)}, plan_);
    return outputs.front().to(torch::kFloat64).softmax(1).cpu();
  }

  const TrainConfig& config_;
  ComputePlan plan_;
  WantedImages wanted_;
  Normaliser normaliser_;
  std::shared_ptr<Model> model_;
};

}  // namespace

std::vector<std::string> images_at(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path.string()};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (!at->is_directory(ignored) && is_image_name(name) && !is_litter(name))
      files.push_back(at->path().string());
  }
  if (error) throw InputError(fmt::format("{}: cannot be read: {}", path.string(), error.message()));
  if (files.empty())
    throw InputError(
        fmt::format("{}: holds no image; their names end in {}", path.string(), image_endings()));
  std::sort(files.begin(), files.end());
  return files;
}

void predict(const fs::path& run, const std::vector<std::string>& images, const PredictOptions& options,
             const std::function<void(const Prediction&)>& on_prediction) {
  const RunWeights weights = find_run_weights(run);
  TrainConfig config = with_programs_of_run(read_run_config(weights.run), weights.run);
  for (const auto& [key, text] : options.changes) set_config_value(config, key, text);
  check_config(config);
  if (is_own_path(config.data)) return predict_own(weights, config, images, options, on_prediction);
  Predictor predictor(weights, config);
  const auto at_once = static_cast<std::size_t>(config.eval_batch_size);
  for (std::size_t done = 0; done < images.size(); done += at_once) {
    const int signal = options.stop_signal ? options.stop_signal() : 0;
    if (signal != 0) throw Interrupted("stopped", signal);
    const auto first = images.begin() + static_cast<std::ptrdiff_t>(done);
    const auto last = images.begin() + static_cast<std::ptrdiff_t>(std::min(images.size(), done + at_once));
    predictor.predict({first, last}, options.top, on_prediction);
  }
}

}  // namespace glidepath
