// src/nn/small_models.h - a convolutional network and a perceptron for small pictures such as digits.
#pragma once
#include <memory>

#include "nn/network.h"

namespace glidepath {

/// Two 3x3 convolutions (32 and 64 channels, each with norm, ReLU and 2x2 max pooling) and a linear layer.
std::shared_ptr<Network> make_convnet(const ModelOptions& options);

/// Two hidden layers of 128 units with ReLU.
std::shared_ptr<Network> make_mlp(const ModelOptions& options);

}  // namespace glidepath
