// src/nn/resnet.h - residual networks with ImageNet and CIFAR stems.
#pragma once
#include <memory>
#include <vector>

#include "nn/network.h"

namespace glidepath {

/// Whether options.stem, or where it is "auto" options.image_size, says so. Throws InputError for another
/// stem.
bool wants_imagenet_stem(const ModelOptions& options);

/// The shape of one member of the family.
struct ResNetForm {
  std::vector<std::int64_t> planes;  ///< channels of each stage before the width factor
  std::vector<int> blocks;           ///< residual blocks of each stage
  bool bottleneck = false;           ///< 1x1, 3x3, 1x1 with four times the channels at the end
};

/// He et al., CVPR 2016 (arXiv 1512.03385), in torchvision's form: a bottleneck's stride sits in its 3x3
/// convolution, and every shortcut that changes shape is a 1x1 convolution with a norm (option B of the
/// paper; its CIFAR networks use option A there, which has no parameters and would leave `downsample` out of
/// the names).
std::shared_ptr<Network> make_resnet(const ModelOptions& options, const ResNetForm& form, bool imagenet_stem);

}  // namespace glidepath
