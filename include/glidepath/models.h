// include/glidepath/models.h - the built-in networks, with torchvision's parameter names and shapes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glidepath/model.h"

namespace glidepath {

struct ModelOptions {
  std::string name = "resnet18";  ///< one of model_names()
  double width = 1;               ///< multiplies every channel count; each is rounded to at least 1
  std::string stem = "auto";  ///< "cifar" (3x3, no pool), "imagenet" (7x7 stride 2 + pool), "auto": by image
                              ///< size (cifar up to 64)
  std::int64_t classes = 10;
  std::int64_t in_channels = 3;
  std::int64_t image_size = 32;  ///< height and width of the input
};

/// resnet18, resnet34, resnet50 (He et al. 2016), resnet8, resnet20, resnet32, resnet56 (the same paper's
/// CIFAR family, 16-32-64 channels), convnet, mlp. Every shortcut that changes shape is a 1x1 convolution
/// with a norm (the paper's option B): option A, which the paper uses on CIFAR-10, has no parameters, and the
/// names downsample.0 and downsample.1 would be missing.
const std::vector<std::string>& model_names();

/// Builds and initialises a model from torch's default generator (seed it first): images float [B,
/// in_channels, image_size, image_size] -> logits [B, classes]. Its cost is that of its convolutions, linear
/// and norm layers at that size. Throws InputError for an unknown name or an option out of range.
std::shared_ptr<Model> make_model(const ModelOptions& options);

}  // namespace glidepath
