// src/nn/layers.h - layers made and counted: shapes are followed so that each layer's cost is known.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace glidepath {

/// What flows through a network while it is built: channels, and height = width. Adds up the operations of
/// one image's forward pass; a multiply-add counts as 2, a norm as 2 an element.
struct Flow {
  std::int64_t channels = 0;
  std::int64_t size = 0;
  double flops = 0;

  double area() const { return static_cast<double>(size) * static_cast<double>(size); }
  /// A convolution without bias (a norm follows), from here to `out` channels.
  torch::nn::Conv2d conv(std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    torch::nn::Conv2d layer(
        torch::nn::Conv2dOptions(channels, out, kernel).stride(stride).padding(padding).bias(false));
    size = (size + 2 * padding - kernel) / stride + 1;
    flops += 2.0 * static_cast<double>(channels * kernel * kernel) * static_cast<double>(out) * area();
    channels = out;
    return layer;
  }
  torch::nn::BatchNorm2d norm() {
    flops += 2.0 * static_cast<double>(channels) * area();
    return torch::nn::BatchNorm2d(channels);
  }
  /// Pooling of the whole picture, or of windows of `kernel`.
  void pool(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    size = (size + 2 * padding - kernel) / stride + 1;
  }
  torch::nn::Linear linear(std::int64_t in, std::int64_t out) {
    flops += 2.0 * static_cast<double>(in) * static_cast<double>(out);
    return torch::nn::Linear(in, out);
  }
};

/// Channel counts under a width factor.
inline std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

}  // namespace glidepath
