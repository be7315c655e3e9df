// src/session/wanted_images.h - what a run's folder says of its model, and of the images that it takes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "compute/device.h"
#include "data/sets/set_facts.h"
#include "glidepath/model.h"
#include "glidepath/model_options.h"
#include "glidepath/train_config.h"
#include "run/run_weights.h"

namespace glidepath {

/// The shorter side becomes `resize` pixels, and the middle of side x side is taken.
struct WantedImages {
  SetFacts facts;
  std::int64_t side = 0, resize = 0;
  bool exif_orientation = false;
};

/// From the configuration of a run, and its names of classes. Throws InputError for a run on data of a
/// program's own, and where a folder of images left no names.
WantedImages wanted_images(const TrainConfig& config, const std::filesystem::path& run);

/// The network of such a run.
ModelOptions model_options(const TrainConfig& config, const WantedImages& wanted);

/// The network of a run on images with masks, or on text.
ModelOptions model_options(const TrainConfig& config, std::int64_t classes);

/// The names that a run left. Throws InputError for the folder of one that has none.
std::vector<std::string> class_names_of(const std::filesystem::path& run);

/// The run's network with its newest weights, nothing of it frozen.
std::shared_ptr<Model> model_of(const RunWeights& weights, const TrainConfig& config,
                                const ModelOptions& options, const ComputePlan& plan);

/// The label's digits where there is no name.
std::string class_name(const SetFacts& facts, std::int64_t label);

}  // namespace glidepath
