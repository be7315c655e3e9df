// src/session/wanted_images.h - what a run's folder says of the images that its model takes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "data/sets/set_facts.h"
#include "glidepath/model_options.h"
#include "glidepath/train_config.h"

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

/// The label's digits where there is no name.
std::string class_name(const SetFacts& facts, std::int64_t label);

}  // namespace glidepath
