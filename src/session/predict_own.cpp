// src/session/predict_own.cpp - predictions of runs on images with masks, and on text.
#include "session/predict_own.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "core/data_names.h"
#include "data/batches/random_keys.h"
#include "data/formats/decode.h"
#include "data/formats/label_png.h"
#include "data/own/image_table.h"
#include "evaluation/forward.h"
#include "files/atomic_file.h"
#include "files/output_folder.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/keyed_random.h"
#include "glidepath/train.h"
#include "model/in_mode.h"
#include "session/wanted_images.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// The model of a run, without its data.
class RunModel {
 public:
  RunModel(const RunWeights& weights, const TrainConfig& config, const PredictOptions& options)
      : config_(config), options_(options), plan_(plan_compute(config)) {
    class_names_ = class_names_of(weights.run);
    const auto classes = static_cast<std::int64_t>(class_names_.size());
    model_ = model_of(weights, config, model_options(config, classes), plan_);
  }

 protected:
  torch::Tensor outputs_for(const torch::Tensor& input) const {
    const at::NoGradGuard no_grad;
    const InMode mode(*model_, false);
    return outputs_of(*model_, {input.to(plan_.device)}, plan_).front().to(torch::kFloat32).cpu();
  }
  void stop_if_asked() const {
    const int signal = options_.stop_signal ? options_.stop_signal() : 0;
    if (signal != 0) throw Interrupted("stopped", signal);
  }

  const TrainConfig& config_;
  const PredictOptions& options_;
  std::vector<std::string> class_names_;

 private:
  ComputePlan plan_;
  std::shared_ptr<Model> model_;
};

/// Labels every pixel of an image, at its own size.
class MaskPredictor : public RunModel {
 public:
  using RunModel::RunModel;

  Prediction predict(const std::string& image) {
    stop_if_asked();
    Prediction prediction;
    prediction.image = image;
    const fs::path mask = fs::path(options_.masks) / fs::path(image).stem().concat(".png");
    const auto [other, is_new] = written_.emplace(mask.string(), image);
    if (!is_new) {
      prediction.problem = fmt::format("its mask would have the name of that of {}", other->second);
      return prediction;
    }
    try {
      std::vector<unsigned char> bytes;
      read_file(image, bytes, kLargestImageFile);
      write(mask, bytes);
      prediction.mask = mask.string();
    } catch (const Interrupted&) {
      throw;
    } catch (const RunError& error) {
      prediction.problem = error.what();
    }
    return prediction;
  }

 private:
  void write(const fs::path& file, const std::vector<unsigned char>& bytes) {
    StoredImage stored;
    stored.data = bytes.data();
    stored.bytes = bytes.size();
    const ImageSize size = decoder_.open(stored);
    const DecodedArea area = decoder_.decode({0, 0, size.width, size.height});
    const torch::Tensor image = torch::empty({1, 3, size.height, size.width});
    table_.write(area.pixels, area.row_bytes, size, image.data_ptr<float>());
    const torch::Tensor labels = outputs_for(image).argmax(1).to(torch::kUInt8).contiguous();
    const auto png = encode_label_png(labels.data_ptr<std::uint8_t>(), size);
    AtomicFile out(file);
    out.write(png.data(), png.size());
    out.commit();
  }

  ImageDecoder decoder_;
  ImageTable table_;
  std::map<std::string, std::string> written_;
};

/// Goes on with a text, character by character.
class TextPredictor : public RunModel {
 public:
  TextPredictor(const RunWeights& weights, const TrainConfig& config, const PredictOptions& options)
      : RunModel(weights, config, options) {
    for (std::size_t token = 0; token < class_names_.size(); ++token) {
      const std::string& character = class_names_[token];
      longest_ = std::max(longest_, character.size());
      token_of_[character] = static_cast<std::int64_t>(token);
    }
    if (token_of_.count("10") != 0)
      throw InputError(fmt::format("{}: was trained on tokens that have no text; predict goes on with text",
                                   weights.run.string()));
  }

  Prediction predict(const std::string& prompt, std::uint64_t number) const {
    Prediction prediction;
    prediction.image = prompt;
    std::vector<std::int64_t> tokens;
    prediction.problem = read(prompt, tokens);
    if (!prediction.problem.empty()) return prediction;
    KeyedRandom random{config_.seed, kForContinuation, number};
    for (std::int64_t i = 0; i < options_.tokens; ++i) {
      stop_if_asked();
      tokens.push_back(next(tokens, random));
      prediction.text += class_names_[static_cast<std::size_t>(tokens.back())];
    }
    return prediction;
  }

 private:
  /// Returns what is wrong with it.
  std::string read(const std::string& prompt, std::vector<std::int64_t>& tokens) const {
    if (prompt.empty()) return "is empty; a continuation needs a beginning";
    for (std::size_t at = 0; at < prompt.size();) {
      std::size_t length = std::min(longest_, prompt.size() - at);
      while (length > 0 && token_of_.count(prompt.substr(at, length)) == 0) --length;
      if (length == 0) return fmt::format("byte {} begins a character that the text of the run has not", at);
      tokens.push_back(token_of_.at(prompt.substr(at, length)));
      at += length;
    }
    return "";
  }
  std::int64_t next(const std::vector<std::int64_t>& tokens, KeyedRandom& random) const {
    const auto count = std::min<std::int64_t>(config_.context, static_cast<std::int64_t>(tokens.size()));
    const std::vector<std::int64_t> last(tokens.end() - count, tokens.end());
    const torch::Tensor logits =
        outputs_for(torch::tensor(last, torch::kInt64).unsqueeze(0))[0][count - 1].to(torch::kFloat64);
    if (options_.temperature <= 0) return logits.argmax().item<std::int64_t>();
    const torch::Tensor sums = (logits / options_.temperature).softmax(0).cumsum(0);
    const auto* sum = sums.data_ptr<double>();
    const double drawn = random.unit() * sum[sums.numel() - 1];
    return std::upper_bound(sum, sum + sums.numel() - 1, drawn) - sum;
  }

  std::map<std::string, std::int64_t> token_of_;
  std::size_t longest_ = 1;
};

}  // namespace

void predict_own(const RunWeights& weights, const TrainConfig& config, const std::vector<std::string>& given,
                 const PredictOptions& options, const std::function<void(const Prediction&)>& on_prediction) {
  const std::string prefix = data_prefix(config.data);
  if (prefix == kTokens) {
    const TextPredictor predictor(weights, config, options);
    for (std::size_t i = 0; i < given.size(); ++i) on_prediction(predictor.predict(given[i], i));
    return;
  }
  if (prefix != kSegmentation) {
    throw InputError(fmt::format("{}: trained on data \"{}\"; predict takes runs on images and on text",
                                 weights.run.string(), config.data));
  }
  if (options.masks.empty())
    throw InputError("masks \"\": the folder that masks are written to; give one, for example masks");
  MaskPredictor predictor(weights, config, options);
  make_output_folder(options.masks);
  for (const std::string& image : given) on_prediction(predictor.predict(image));
}

}  // namespace glidepath
