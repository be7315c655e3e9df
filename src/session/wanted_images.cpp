// src/session/wanted_images.cpp - what a run's folder says of its model, and of the images that it takes.
#include "session/wanted_images.h"

#include <fmt/format.h>

#include "core/data_names.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "run/data_record.h"
#include "setup/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {

WantedImages wanted_images(const TrainConfig& config, const fs::path& run) {
  const auto facts = set_facts(config.data);
  if (!facts && !data_prefix(config.data).empty()) {
    throw InputError(
        fmt::format("{}: trained on data \"{}\", and not on pictures with a class each; its weights are "
                    "in model.safetensors, by name",
                    run.string(), config.data));
  }
  if (!facts) {
    throw InputError(
        fmt::format("{}: trained on data \"{}\", a program's own; only that program can prepare more "
                    "of them",
                    run.string(), config.data));
  }
  WantedImages wanted{*facts, facts->side, facts->side, config.exif_orientation};
  if (facts->side > 0) return wanted;
  wanted.facts.class_names = class_names_of(run);
  wanted.facts.classes = static_cast<std::int64_t>(wanted.facts.class_names.size());
  const ImageOptions options = image_options(config);
  wanted.side = options.eval_size;
  wanted.resize = options.eval_resize;
  return wanted;
}

ModelOptions model_options(const TrainConfig& config, std::int64_t classes) {
  ModelOptions options;
  options.name = config.model;
  options.width = config.width;
  options.stem = config.stem;
  options.context = config.context;
  options.classes = classes;
  return options;
}

ModelOptions model_options(const TrainConfig& config, const WantedImages& wanted) {
  ModelOptions options = model_options(config, wanted.facts.classes);
  options.in_channels = wanted.facts.channels;
  options.image_size = wanted.side;
  return options;
}

std::vector<std::string> class_names_of(const fs::path& run) {
  const fs::path file = run / "classes.json";
  auto names = class_names_from(try_read_file(file).value_or(""));
  if (names.empty()) {
    throw InputError(
        fmt::format("{}: cannot be read, or names no class; it is written when a run begins", file.string()));
  }
  return names;
}

std::shared_ptr<Model> model_of(const RunWeights& weights, const TrainConfig& config,
                                const ModelOptions& options, const ComputePlan& plan) {
  TrainConfig trained = config;
  trained.freeze.clear();
  auto model = placed(named_model(trained, [&] { return options; }), trained, plan);
  load_run_weights(weights.files.back(), *model);
  return model;
}

std::string class_name(const SetFacts& facts, std::int64_t label) {
  const auto at = static_cast<std::size_t>(label);
  return at < facts.class_names.size() ? facts.class_names[at] : std::to_string(label);
}

}  // namespace glidepath
