// src/nn/airbench.cpp - the network of cifar10-airbench.
#include "nn/airbench.h"

#include <algorithm>
#include <string>

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/nn/init.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "nn/kernels/batch_norm_relu.h"
#include "nn/kernels/conv3x3.h"
#include "nn/kernels/gelu.h"
#include "nn/kernels/max_pool.h"
#include "nn/layers.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr std::int64_t kWhitenKernel = 2, kSmallestImage = 9;
// The reference's 5,000 pictures of 32 x 32; of larger ones fewer.
constexpr std::int64_t kPixelsToWhiten = 5000 * 32 * 32, kFewestImages = 50;

torch::nn::BatchNorm2d make_norm(Flow& flow) {
  flow.count_norm();
  torch::nn::BatchNorm2d norm(torch::nn::BatchNorm2dOptions(flow.channels).eps(1e-12).momentum(0.4));
  norm->weight.set_requires_grad(false);
  return norm;
}

torch::nn::Conv2d make_conv(Flow& flow, std::int64_t out) {
  const at::NoGradGuard no_grad;
  const std::int64_t in = flow.channels;
  torch::nn::Conv2d conv = flow.conv(out, 3, 1, 1);
  torch::nn::init::dirac_(conv->weight.narrow(0, 0, std::min(in, out)));
  return conv;
}

class GroupImpl : public torch::nn::Module {
 public:
  GroupImpl(Flow& flow, std::int64_t channels) {
    conv1_ = register_module("conv1", make_conv(flow, channels));
    flow.pool(2, 2, 0);
    norm1_ = register_module("norm1", make_norm(flow));
    conv2_ = register_module("conv2", make_conv(flow, channels));
    norm2_ = register_module("norm2", make_norm(flow));
  }
  Tensor forward(Tensor x) {
    x = batch_norm_gelu(norm1_, max_pool(convolve(conv1_, x)));
    return batch_norm_gelu(norm2_, convolve(conv2_, x));
  }
  NetworkGraph::Value draw(NetworkGraph& graph, NetworkGraph::Value x, const std::string& name) const {
    x = graph.max_pool(graph.conv(x, name + ".conv1", conv1_), 2, 2, 0);
    x = graph.gelu(graph.norm(x, name + ".norm1", norm1_));
    return graph.gelu(graph.norm(graph.conv(x, name + ".conv2", conv2_), name + ".norm2", norm2_));
  }

 private:
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::BatchNorm2d norm1_{nullptr}, norm2_{nullptr};
};
TORCH_MODULE(Group);

class Airbench : public Network {
 public:
  explicit Airbench(const ModelOptions& options) {
    Flow flow{options.in_channels, options.image_size};
    const std::int64_t whitened = 2 * options.in_channels * kWhitenKernel * kWhitenKernel;
    whiten_ = register_module(
        "whiten", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.in_channels, whitened, kWhitenKernel)));
    whiten_->weight.set_requires_grad(false);
    flow.count_conv(whitened, kWhitenKernel, 1, 0);
    flow.cost.backward = 0;  // its filters are not trained, and its bias costs next to nothing
    // The reference's list of layers begins with the GELU and ends with the pooling.
    auto layers = std::make_shared<torch::nn::Module>();
    int place = 1;
    for (const std::int64_t channels : {64, 256, 256}) {
      groups_.push_back(
          layers->register_module(std::to_string(place++), Group(flow, scaled(channels, options.width))));
    }
    register_module("layers", layers);
    head_ = register_module(
        "head", torch::nn::Linear(torch::nn::LinearOptions(flow.channels, options.classes).bias(false)));
    flow.count_linear(flow.channels, options.classes);
    const at::NoGradGuard no_grad;
    if (head_->weight.numel() > 1) head_->weight.div_(head_->weight.std());
    cost_ = flow.cost;
    image_size_ = options.image_size;
  }

  Tensor forward(Tensor x) override {
    x = glidepath::gelu(whiten_(x));
    for (Group& group : groups_) x = group(x);
    x = x.amax({2, 3});
    return head_(x) / x.size(1);
  }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    NetworkGraph::Value x = graph.gelu(graph.conv(NetworkGraph::kInput, "whiten", whiten_));
    for (std::size_t i = 0; i < groups_.size(); ++i)
      x = groups_[i]->draw(graph, x, "layers." + std::to_string(i + 1));
    x = graph.linear(graph.flatten(graph.largest(x)), "head", head_);
    graph.divide(x, static_cast<double>(head_->weight.size(1)));
    return graph;
  }
  Cost cost() const override { return cost_; }
  bool takes_any_size() const override { return true; }
  std::int64_t examples_to_begin_with() const override {
    const std::int64_t of_pixels = kPixelsToWhiten / (image_size_ * image_size_);
    return std::max(kFewestImages, of_pixels);
  }
  void begin_with(const Tensor& images) override {
    const at::NoGradGuard no_grad;
    whiten_->weight.copy_(whitening_filters(images, kWhitenKernel));
  }

 private:
  Cost cost_;
  std::int64_t image_size_ = 0;
  torch::nn::Conv2d whiten_{nullptr};
  std::vector<Group> groups_;
  torch::nn::Linear head_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_airbench(const ModelOptions& options) {
  if (options.image_size < kSmallestImage) {
    throw InputError(
        fmt::format("model \"airbench\": images of {0}x{0} are too small; {1}x{1} is the smallest",
                    options.image_size, kSmallestImage));
  }
  return std::make_shared<Airbench>(options);
}

torch::Tensor whitening_filters(const torch::Tensor& images, std::int64_t kernel, double eps) {
  constexpr std::int64_t kChunk = 256;  // the patches of all would be several times as large as the images
  const at::NoGradGuard no_grad;
  const std::int64_t channels = images.size(1), entries = channels * kernel * kernel;
  Tensor moments = torch::zeros({entries, entries}, torch::kFloat64);
  std::int64_t count = 0;
  for (std::int64_t first = 0; first < images.size(0); first += kChunk) {
    const Tensor some =
        images.narrow(0, first, std::min(kChunk, images.size(0) - first)).to(torch::kFloat32).cpu();
    const Tensor patches =
        some.unfold(2, kernel, 1).unfold(3, kernel, 1).permute({0, 2, 3, 1, 4, 5}).reshape({-1, entries});
    moments += torch::mm(patches.t(), patches).to(torch::kFloat64);
    count += patches.size(0);
  }
  auto [values, vectors] = at::linalg_eigh(moments / static_cast<double>(count), "U");
  Tensor rows = vectors.t().contiguous();
  const Tensor largest = rows.gather(1, rows.abs().argmax(1, /*keepdim=*/true));
  rows = rows * largest.sign() / (values.clamp_min(0) + eps).sqrt().unsqueeze(1);
  return torch::cat({rows, -rows}).to(torch::kFloat32).reshape({2 * entries, channels, kernel, kernel});
}

}  // namespace glidepath
