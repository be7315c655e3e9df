// src/setup/model_shape.cpp - the built-in model that a configuration names, for what its data are.
#include "setup/model_shape.h"

#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/examples.h"

namespace glidepath {
namespace {

const char* wanted_by(ModelKind kind) {
  switch (kind) {
    case ModelKind::kImages:
      return "takes images float32 [C, H, H] with labels or numbers";
    case ModelKind::kNumbers:
      return "takes float32 inputs of one shape with labels or numbers";
    case ModelKind::kMasks:
      return "takes images float32 [C, H, W] with masks int64 [H, W]";
    case ModelKind::kTokens:
      return "takes tokens int64 [T] with the next ones, int64 [T]";
  }
  return "";
}

std::string shapes_of(const Values& values) {
  std::string text;
  for (const torch::Tensor& each : values) {
    const char* type = each.scalar_type() == torch::kFloat32 ? "float32"
                       : each.scalar_type() == torch::kInt64 ? "int64"
                                                             : c10::toString(each.scalar_type());
    text +=
        fmt::format("{}{} [{}]", text.empty() ? "" : " and ", type, fmt::join(each.sizes().slice(1), ", "));
  }
  return text.empty() ? "none" : text;
}

bool fits(ModelKind kind, const Batch& example) {
  if (example.inputs.size() != 1 || example.targets.size() != 1) return false;
  const torch::Tensor &input = example.inputs[0], &target = example.targets[0];
  const bool is_float = input.scalar_type() == torch::kFloat32, is_label_or_numbers = target.dim() <= 2;
  const bool is_whole = target.scalar_type() == torch::kInt64;
  switch (kind) {
    case ModelKind::kImages:
      return is_float && is_label_or_numbers && input.dim() == 4 && input.size(2) == input.size(3);
    case ModelKind::kNumbers:
      return is_float && is_label_or_numbers && input.dim() >= 2;
    case ModelKind::kMasks:
      return is_float && is_whole && input.dim() == 4 && target.dim() == 3 &&
             target.sizes().slice(1) == input.sizes().slice(2);
    case ModelKind::kTokens:
      return input.scalar_type() == torch::kInt64 && is_whole && input.dim() == 2 &&
             target.sizes() == input.sizes();
  }
  return false;
}

void set_shape(ModelOptions& options, ModelKind kind, const torch::Tensor& input) {
  if (kind == ModelKind::kTokens) {
    options.context = input.size(1);
  } else if (kind == ModelKind::kNumbers) {
    options.in_channels = input[0].numel();
    options.image_size = 1;
  } else {
    options.in_channels = input.size(1);
    options.image_height = input.size(2);
    options.image_size = input.size(3);
  }
}

}  // namespace

ModelOptions model_options(const TrainConfig& config, const Dataset& dataset, std::int64_t image_size) {
  ModelOptions options;
  options.name = config.model;
  options.width = config.width;
  options.stem = config.stem;
  options.classes = dataset.classes;
  const ModelKind kind = model_kind(config.model);
  const auto refuse = [&](const std::string& examples) {
    throw InputError(fmt::format("model \"{}\": {}; the examples of data \"{}\" are {}", config.model,
                                 wanted_by(kind), config.data, examples));
  };
  if (!dataset.is_own()) {
    if (kind == ModelKind::kMasks || kind == ModelKind::kTokens) refuse("images with a label each");
    options.in_channels = dataset.channels();
    options.image_size = image_size;
    return options;
  }
  // As it is trained on: crops may be smaller than what tests see.
  const Batch example = dataset.train.examples->batch({{0}, config.augment, config.seed, 0});
  const bool is_told = options.classes > 0 || (kind != ModelKind::kMasks && kind != ModelKind::kTokens &&
                                               example.targets.size() == 1 && example.targets[0].dim() == 2);
  if (!fits(kind, example)) {
    refuse(fmt::format("{} with {}; programs give others a model, Experiment::model",
                       shapes_of(example.inputs), shapes_of(example.targets)));
  }
  if (!is_told) refuse("of no known number of classes; programs set Dataset::classes");
  if (options.classes == 0) options.classes = example.targets[0].size(1);
  set_shape(options, kind, example.inputs[0]);
  return options;
}

}  // namespace glidepath
