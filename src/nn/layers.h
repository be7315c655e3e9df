// src/nn/layers.h - layers made and counted: shapes are followed so that each layer's cost is known.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "glidepath/model.h"

namespace glidepath {

/// What flows through a network while it is built: channels, and height = width. Adds up the operations of
/// one image's forward pass, and of the backward pass that follows; a multiply-add counts as 2, a norm as 2
/// an element, and twice that backward.
struct Flow {
  std::int64_t channels = 0;
  std::int64_t size = 0;
  Cost cost = {};

  double area() const { return static_cast<double>(size) * static_cast<double>(size); }
  /// A convolution without bias (a norm follows), from here to `out` channels.
  torch::nn::Conv2d conv(std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    torch::nn::Conv2d layer(
        torch::nn::Conv2dOptions(channels, out, kernel).stride(stride).padding(padding).bias(false));
    count_conv(out, kernel, stride, padding);
    return layer;
  }
  torch::nn::BatchNorm2d norm() {
    count_norm();
    return torch::nn::BatchNorm2d(channels);
  }
  /// Pooling of the whole picture, or of windows of `kernel`.
  void pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    size = (size + 2 * padding - kernel) / stride + 1;
  }
  torch::nn::Linear linear(std::int64_t in, std::int64_t out) {
    count_linear(in, out);
    return torch::nn::Linear(in, out);
  }

  // For layers that are made elsewhere.
  void count_conv(std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    size = (size + 2 * padding - kernel) / stride + 1;
    add(2.0 * static_cast<double>(channels * kernel * kernel) * static_cast<double>(out) * area());
    channels = out;
  }
  void count_norm() {
    const double forward = 2.0 * static_cast<double>(channels) * area();
    cost.forward += forward;
    cost.backward += 2 * forward;
  }
  void count_linear(std::int64_t in, std::int64_t out) {
    add(2.0 * static_cast<double>(in) * static_cast<double>(out));
  }

 private:
  // Backward: a gradient for the weights and one for the input, which the network's first layer does not
  // need.
  void add(double forward) {
    cost.backward += (cost.forward > 0 ? 2 : 1) * forward;
    cost.forward += forward;
  }
};

/// Channel counts under a width factor.
inline std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

}  // namespace glidepath
