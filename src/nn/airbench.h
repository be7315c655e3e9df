// src/nn/airbench.h - the network of cifar10-airbench, whose first layer whitens patches of pixels.
#pragma once
#include <memory>

#include "nn/network.h"

namespace glidepath {

/// A frozen 2x2 convolution that whitens (init_from()), with a trained bias; three groups of 3x3 convolution,
/// 2x2 max pooling, norm, GELU, convolution, norm, GELU, of 64, 256 and 256 channels; the largest value of
/// each channel; a linear layer without bias, divided by its inputs. Norms train their biases alone, and
/// weigh each batch by 0.4 in their running statistics. Filters begin as the identity as far as they can.
/// Names and shapes are the reference's. Images of 9 pixels or more.
/// Source  Jordan, arXiv 2404.00498, and its airbench94_muon.
std::shared_ptr<Network> make_airbench(const ModelOptions& options);

/// Filters [2 C k k, C, k, k] that make the k x k patches of images [N, C, H, W] uncorrelated and of variance
/// about 1, and the same with the other sign: eigenvectors of the patches' second moments, each divided by
/// the root of its eigenvalue + eps. The sign of an eigenvector, which is free, is that of its largest entry.
torch::Tensor whitening_filters(const torch::Tensor& images, std::int64_t kernel, double eps = 5e-4);

}  // namespace glidepath
