// src/nn/unet.h - a plain UNet, which labels every pixel.
#pragma once
#include <memory>

#include "nn/network.h"

namespace glidepath {

/// Ronneberger et al. (MICCAI 2015, arXiv 1505.04597) with padded convolutions and a norm after each: two 3x3
/// convolutions of 64 channels, four times halved and doubled to 1024, and back by transposed convolutions.
/// images float [B, in_channels, H, W], of any size -> logits [B, classes, H, W]; height and width are padded
/// by zeros to multiples of 16 on the way. Parameters have the names of the implementation that most know
/// (milesial's: inc.double_conv.0.weight). Its cost is that of the padded picture.
std::shared_ptr<Network> make_unet(const ModelOptions& options);

}  // namespace glidepath
