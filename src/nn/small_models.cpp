// src/nn/small_models.cpp - a convolutional network and a perceptron for small pictures such as digits.
#include "nn/small_models.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "nn/kernels/batch_norm_relu.h"
#include "nn/kernels/conv3x3.h"
#include "nn/kernels/max_pool.h"
#include "nn/layers.h"

namespace glidepath {
namespace {

using torch::Tensor;

class ConvNet : public Network {
 public:
  explicit ConvNet(const ModelOptions& options) {
    Flow flow{options.in_channels, options.image_size};
    conv1_ = register_module("conv1", flow.conv(scaled(32, options.width), 3, 1, 1));
    bn1_ = register_module("bn1", flow.norm());
    flow.pool(2, 2, 0);
    conv2_ = register_module("conv2", flow.conv(scaled(64, options.width), 3, 1, 1));
    bn2_ = register_module("bn2", flow.norm());
    flow.pool(2, 2, 0);
    fc_ = register_module("fc", flow.linear(flow.channels * flow.size * flow.size, options.classes));
    cost_ = flow.cost;
  }
  Tensor forward(Tensor x) override {
    x = max_pool(batch_norm_relu(bn1_, convolve(conv1_, x)));
    x = max_pool(batch_norm_relu(bn2_, convolve(conv2_, x)));
    return fc_(x.flatten(1));
  }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    NetworkGraph::Value x = graph.conv(NetworkGraph::kInput, "conv1", conv1_);
    x = graph.max_pool(graph.relu(graph.norm(x, "bn1", bn1_)), 2, 2, 0);
    x = graph.relu(graph.norm(graph.conv(x, "conv2", conv2_), "bn2", bn2_));
    graph.linear(graph.flatten(graph.max_pool(x, 2, 2, 0)), "fc", fc_);
    return graph;
  }
  Cost cost() const override { return cost_; }

 private:
  Cost cost_;
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr}, bn2_{nullptr};
  torch::nn::Linear fc_{nullptr};
};

class Mlp : public Network {
 public:
  explicit Mlp(const ModelOptions& options) {
    Flow flow;
    const std::int64_t hidden = scaled(128, options.width);
    fc1_ = register_module(
        "fc1", flow.linear(options.in_channels * options.image_size * options.image_size, hidden));
    fc2_ = register_module("fc2", flow.linear(hidden, hidden));
    fc3_ = register_module("fc3", flow.linear(hidden, options.classes));
    cost_ = flow.cost;
  }
  Tensor forward(Tensor x) override {
    x = torch::relu(fc1_(x.flatten(1)));
    return fc3_(torch::relu(fc2_(x)));
  }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    const auto x = graph.relu(graph.linear(graph.flatten(NetworkGraph::kInput), "fc1", fc1_));
    graph.linear(graph.relu(graph.linear(x, "fc2", fc2_)), "fc3", fc3_);
    return graph;
  }
  Cost cost() const override { return cost_; }

 private:
  Cost cost_;
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr}, fc3_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_convnet(const ModelOptions& options) {
  if (options.image_size < 4) {
    throw InputError(fmt::format("model \"convnet\": images of {0}x{0} are too small; it halves them twice",
                                 options.image_size));
  }
  return std::make_shared<ConvNet>(options);
}

std::shared_ptr<Network> make_mlp(const ModelOptions& options) { return std::make_shared<Mlp>(options); }

}  // namespace glidepath
