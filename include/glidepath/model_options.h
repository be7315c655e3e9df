// include/glidepath/model_options.h - which built-in network is meant; without torch.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace glidepath {

struct ModelOptions {
  std::string name = "resnet18";  ///< one of model_names()
  double width = 1;               ///< multiplies every channel count; each is rounded to at least 1
  std::string stem = "auto";  ///< "cifar" (3x3, no pool), "imagenet" (7x7 stride 2 + pool), "auto": by image
                              ///< size (cifar up to 64)
  std::int64_t classes = 10;
  std::int64_t in_channels = 3;
  std::int64_t image_size = 32;   ///< height and width of the input
  std::int64_t image_height = 0;  ///< of unet: where it is not image_size
  std::int64_t context = 128;     ///< of gpt: the most tokens that it is given
};

/// resnet18, resnet34, resnet50 (He et al. 2016), resnet8, resnet20, resnet32, resnet56 (the same paper's
/// CIFAR family, 16-32-64 channels), airbench (Jordan 2024), convnet, mlp. Every shortcut that changes shape
/// is a 1x1 convolution with a norm (the paper's option B): option A, which the paper uses on CIFAR-10, has
/// no parameters, and the names downsample.0 and downsample.1 would be missing. unet (Ronneberger et al.
/// 2015, with norms) labels pixels, gpt (Radford et al. 2019) predicts tokens.
const std::vector<std::string>& model_names();

/// What a built-in network takes and gives for an example.
enum class ModelKind {
  kImages,   ///< an image [C, H, W], H = W -> logits [classes]
  kNumbers,  ///< numbers of any one shape -> [classes]
  kMasks,    ///< an image of any size -> logits [classes, H, W]
  kTokens    ///< tokens int64 [T] -> logits of the next ones [T, classes]
};
/// Throws InputError for an unknown name.
ModelKind model_kind(const std::string& name);

}  // namespace glidepath
