// src/nn/unet.cpp - a plain UNet.
#include "nn/unet.h"

#include <vector>

#include <fmt/format.h>
#include <torch/nn/functional/padding.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/pooling.h>
#include <torch/types.h>
#include <torch/version.h>

#include "nn/kernels/batch_norm_relu.h"
#include "nn/kernels/conv3x3.h"
#include "nn/kernels/max_pool.h"
#include "nn/layers.h"

namespace glidepath {
namespace {

using torch::Tensor;
using Value = NetworkGraph::Value;

constexpr std::int64_t kLevels = 4, kMultiple = 16;

std::int64_t padded(std::int64_t side) { return (side + kMultiple - 1) / kMultiple * kMultiple; }

/// Two convolutions, each with a norm and ReLU. Channels in, between and out.
class DoubleConvImpl : public torch::nn::Module {
 public:
  DoubleConvImpl(std::int64_t in, std::int64_t out) {
    torch::nn::Sequential list;
    for (std::size_t i = 0; i < 2; ++i) {
      convs_.emplace_back(torch::nn::Conv2dOptions(i == 0 ? in : out, out, 3).padding(1).bias(false));
      norms_.emplace_back(out);
      list->push_back(convs_.back());
      list->push_back(norms_.back());
      list->push_back(torch::nn::ReLU());  // for the names alone
    }
    register_module("double_conv", list);
  }
  Tensor forward(Tensor x) {
    for (std::size_t i = 0; i < 2; ++i) x = batch_norm_relu(norms_[i], convolve(convs_[i], x));
    return x;
  }
  Value draw(NetworkGraph& graph, Value x, const std::string& name) const {
    for (std::size_t i = 0; i < 2; ++i) {
      x = graph.conv(x, fmt::format("{}.double_conv.{}", name, 3 * i), convs_[i]);
      x = graph.relu(graph.norm(x, fmt::format("{}.double_conv.{}", name, 3 * i + 1), norms_[i]));
    }
    return x;
  }

 private:
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<torch::nn::BatchNorm2d> norms_;
};
TORCH_MODULE(DoubleConv);

class DownImpl : public torch::nn::Module {
 public:
  DownImpl(std::int64_t in, std::int64_t out) : conv_(in, out) {
    register_module("maxpool_conv", torch::nn::Sequential(torch::nn::MaxPool2d(2), conv_));
  }
  Tensor forward(const Tensor& x) { return conv_(max_pool(x)); }
  Value draw(NetworkGraph& graph, Value x, const std::string& name) const {
    return conv_->draw(graph, graph.max_pool(x, 2, 2, 0), name + ".maxpool_conv.1");
  }

 private:
  DoubleConv conv_;
};
TORCH_MODULE(Down);

class UpImpl : public torch::nn::Module {
 public:
  UpImpl(std::int64_t in, std::int64_t out)
      : up_(register_module(
            "up", torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2)))),
        conv_(register_module("conv", DoubleConv(2 * out, out))) {}
  Tensor forward(const Tensor& x, const Tensor& skipped) {
    return conv_(torch::cat({skipped, doubled(x)}, 1).contiguous(x.suggest_memory_format()));
  }
  Value draw(NetworkGraph& graph, Value x, Value skipped, const std::string& name) const {
    return conv_->draw(graph, graph.concat(skipped, graph.conv_transpose(x, name + ".up", up_)),
                       name + ".conv");
  }

 private:
  /// up_(x). On the CPU LibTorch's leaves channels_last and takes several times as long as the product that
  /// this is: each pixel becomes four, whose channels then take their places.
  Tensor doubled(const Tensor& x) {
    if (!x.is_cpu()) return up_(x);
    const std::int64_t in = up_->weight.size(0), out = up_->weight.size(1);
    const Tensor filters = up_->weight.permute({2, 3, 1, 0}).reshape({4 * out, in, 1, 1});
    const Tensor four = torch::conv2d(x, filters, up_->bias.repeat(4)).permute({0, 2, 3, 1});
    const std::int64_t images = x.size(0), height = x.size(2), width = x.size(3);
    return four.reshape({images, height, width, 2, 2, out})
        .permute({0, 1, 3, 2, 4, 5})
        .reshape({images, 2 * height, 2 * width, out})
        .permute({0, 3, 1, 2});
  }

  torch::nn::ConvTranspose2d up_;
  DoubleConv conv_;
};
TORCH_MODULE(Up);

/// The last layer, which milesial's has a level of names for.
class OutConvImpl : public torch::nn::Module {
 public:
  OutConvImpl(std::int64_t in, std::int64_t out)
      : conv_(register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1)))) {}
  Tensor forward(const Tensor& x) { return conv_(x); }
  Value draw(NetworkGraph& graph, Value x, const std::string& name) const {
    return graph.conv(x, name + ".conv", conv_);
  }

 private:
  torch::nn::Conv2d conv_;
};
TORCH_MODULE(OutConv);

/// Adds up a picture's operations, level by level.
class UnetCost {
 public:
  UnetCost(std::int64_t height, std::int64_t width)
      : area_(static_cast<double>(padded(height)) * static_cast<double>(padded(width))) {}
  void double_conv(std::int64_t in, std::int64_t out, std::int64_t level) {
    multiply(9 * in, out, level);
    norm(out, level);
    multiply(9 * out, out, level);
    norm(out, level);
  }
  /// Four products of each pixel of a level, or one.
  void multiply(std::int64_t in, std::int64_t out, std::int64_t level) {
    const double forward = 2 * static_cast<double>(in) * static_cast<double>(out) * at(level);
    cost_.backward += (cost_.forward > 0 ? 2 : 1) * forward;
    cost_.forward += forward;
  }
  Cost cost() const { return cost_; }

 private:
  double at(std::int64_t level) const { return area_ / static_cast<double>(std::int64_t{1} << (2 * level)); }
  void norm(std::int64_t channels, std::int64_t level) {
    const double forward = 2 * static_cast<double>(channels) * at(level);
    cost_.forward += forward;
    cost_.backward += 2 * forward;
  }

  double area_;
  Cost cost_;
};

class Unet : public Network {
 public:
  explicit Unet(const ModelOptions& options) {
    UnetCost cost(options.image_height > 0 ? options.image_height : options.image_size, options.image_size);
    const auto channels = [&](std::int64_t level) {
      return scaled(std::int64_t{64} << level, options.width);
    };
    inc_ = register_module("inc", DoubleConv(options.in_channels, channels(0)));
    cost.double_conv(options.in_channels, channels(0), 0);
    for (std::int64_t level = 1; level <= kLevels; ++level) {
      const std::int64_t in = channels(level - 1), out = channels(level);
      downs_.push_back(register_module(fmt::format("down{}", level), Down(in, out)));
      cost.double_conv(in, out, level);
    }
    for (std::int64_t level = kLevels; level >= 1; --level) {
      const std::int64_t in = channels(level), out = channels(level - 1);
      ups_.push_back(register_module(fmt::format("up{}", kLevels - level + 1), Up(in, out)));
      cost.multiply(4 * in, out, level);
      cost.double_conv(2 * out, out, level - 1);
    }
    outc_ = register_module("outc", OutConv(channels(0), options.classes));
    cost.multiply(channels(0), options.classes, 0);
    cost_ = cost.cost();
  }

  Tensor forward(Tensor images) override {
    const std::int64_t height = images.size(2), width = images.size(3);
    const std::int64_t below = padded(height) - height, right = padded(width) - width;
    if (below + right > 0)
      images =
          torch::constant_pad_nd(images, {0, right, 0, below}).contiguous(images.suggest_memory_format());
    std::vector<Tensor> levels{inc_(images)};
    for (Down& down : downs_) levels.push_back(down(levels.back()));
    Tensor x = levels.back();
    for (std::size_t i = 0; i < ups_.size(); ++i) x = ups_[i](x, levels[levels.size() - 2 - i]);
    x = outc_(x);
    return below + right > 0 ? x.narrow(2, 0, height).narrow(3, 0, width) : x;
  }
  Cost cost() const override { return cost_; }
  bool takes_any_size() const override { return true; }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    std::vector<Value> levels{inc_->draw(graph, graph.pad_to(NetworkGraph::kInput, kMultiple), "inc")};
    for (std::size_t i = 0; i < downs_.size(); ++i)
      levels.push_back(downs_[i]->draw(graph, levels.back(), fmt::format("down{}", i + 1)));
    Value x = levels.back();
    for (std::size_t i = 0; i < ups_.size(); ++i)
      x = ups_[i]->draw(graph, x, levels[levels.size() - 2 - i], fmt::format("up{}", i + 1));
    graph.crop_like(outc_->draw(graph, x, "outc"), NetworkGraph::kInput);
    return graph;
  }

 private:
  Cost cost_;
  DoubleConv inc_{nullptr};
  std::vector<Down> downs_;
  std::vector<Up> ups_;
  OutConv outc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_unet(const ModelOptions& options) { return std::make_shared<Unet>(options); }

}  // namespace glidepath
