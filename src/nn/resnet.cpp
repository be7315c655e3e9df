// src/nn/resnet.cpp - residual networks with ImageNet and CIFAR stems.
#include "nn/resnet.h"

#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/container/sequential.h>

#include "nn/kernels/batch_norm_relu.h"
#include "nn/kernels/conv3x3.h"
#include "nn/layers.h"

namespace glidepath {
namespace {

using torch::Tensor;

/// Every stride-th row and column of x in channels-last memory. Autograd's own slices give a gradient in
/// contiguous memory, and adding that to the other branch's costs more than the convolution.
class EveryNth : public torch::autograd::Function<EveryNth> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, std::int64_t stride) {
    context->saved_data["stride"] = stride;
    context->saved_data["sizes"] = x.sizes().vec();
    return of(x, stride).contiguous(torch::MemoryFormat::ChannelsLast);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto options = gradients[0].options().memory_format(torch::MemoryFormat::ChannelsLast);
    Tensor dx = torch::empty(context->saved_data["sizes"].toIntVector(), options).zero_();
    of(dx, context->saved_data["stride"].toInt()).copy_(gradients[0]);
    return {dx, Tensor()};
  }

 private:
  static Tensor of(const Tensor& x, std::int64_t stride) {
    return x.slice(2, 0, torch::nullopt, stride).slice(3, 0, torch::nullopt, stride);
  }
};

// The weight gradient of a 1x1 convolution with a stride writes past its memory in oneDNN 2.7 (LibTorch 1.13)
// where few channels lie in channels-last memory: 4 of 8x8 images without AVX-512, 8 of 56x56 ones with it.
Tensor project(torch::nn::Conv2d& conv, const Tensor& x) {
  constexpr std::int64_t kBlock = 16;  // channels that its fast code takes at once
  const std::int64_t stride = conv->options.stride()->at(0);
  const bool is_at_risk = x.device().is_cpu() && stride > 1 && x.size(1) < kBlock;
  if (!is_at_risk) return convolve(conv, x);
  if (x.suggest_memory_format() != torch::MemoryFormat::ChannelsLast)
    return torch::conv2d(x, conv->weight.contiguous(), {}, stride);
  return torch::conv2d(EveryNth::apply(x, stride), conv->weight);
}

// Children are registered in torchvision's order: it is the order of its state dict.
class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(Flow& flow, std::int64_t planes, std::int64_t stride, bool bottleneck) {
    const Flow input = flow;
    const std::int64_t out = bottleneck ? 4 * planes : planes;
    if (bottleneck) {
      add(flow, planes, 1, 1, 0);
      add(flow, planes, 3, stride, 1);
      add(flow, out, 1, 1, 0);
    } else {
      add(flow, planes, 3, stride, 1);
      add(flow, out, 3, 1, 1);
    }
    if (stride == 1 && input.channels == out) return;
    Flow shortcut = input;
    shortcut_conv_ = shortcut.conv(out, 1, stride, 0);
    shortcut_norm_ = shortcut.norm();
    register_module("downsample", torch::nn::Sequential(shortcut_conv_, shortcut_norm_));
    flow.cost.forward += shortcut.cost.forward - input.cost.forward;
    flow.cost.backward += shortcut.cost.backward - input.cost.backward;
  }

  Tensor forward(const Tensor& x) {
    const Tensor identity =
        shortcut_conv_.is_empty()
            ? x
            : batch_norm_relu(shortcut_norm_, project(shortcut_conv_, x), {}, /*relu=*/false);
    Tensor y = x;
    for (std::size_t i = 0; i + 1 < convs_.size(); ++i)
      y = batch_norm_relu(norms_[i], convolve(convs_[i], y));
    return batch_norm_relu(norms_.back(), convolve(convs_.back(), y), identity);
  }
  NetworkGraph::Value draw(NetworkGraph& graph, NetworkGraph::Value x, const std::string& name) const {
    NetworkGraph::Value y = x;
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      y = graph.conv(y, fmt::format("{}.conv{}", name, i + 1), convs_[i]);
      y = graph.norm(y, fmt::format("{}.bn{}", name, i + 1), norms_[i]);
      if (i + 1 < convs_.size()) y = graph.relu(y);
    }
    if (!shortcut_conv_.is_empty()) {
      x = graph.conv(x, name + ".downsample.0", shortcut_conv_);
      x = graph.norm(x, name + ".downsample.1", shortcut_norm_);
    }
    return graph.relu(graph.add(y, x));
  }

 private:
  void add(Flow& flow, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    const std::size_t number = convs_.size() + 1;
    convs_.push_back(register_module(fmt::format("conv{}", number), flow.conv(out, kernel, stride, padding)));
    norms_.push_back(register_module(fmt::format("bn{}", number), flow.norm()));
  }

  std::vector<torch::nn::Conv2d> convs_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Conv2d shortcut_conv_{nullptr};
  torch::nn::BatchNorm2d shortcut_norm_{nullptr};
};
TORCH_MODULE(Block);

class ResNet : public Network {
 public:
  ResNet(const ModelOptions& options, const ResNetForm& form, bool imagenet_stem)
      : imagenet_stem_(imagenet_stem) {
    Flow flow{options.in_channels, options.image_size};
    const std::int64_t stem = scaled(form.planes.front(), options.width);
    conv1_ = register_module("conv1", imagenet_stem ? flow.conv(stem, 7, 2, 3) : flow.conv(stem, 3, 1, 1));
    bn1_ = register_module("bn1", flow.norm());
    if (imagenet_stem) flow.pool(3, 2, 1);
    for (std::size_t stage = 0; stage < form.planes.size(); ++stage) {
      torch::nn::Sequential layer;
      for (int block = 0; block < form.blocks[stage]; ++block) {
        const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
        layer->push_back(Block(flow, scaled(form.planes[stage], options.width), stride, form.bottleneck));
      }
      layers_.push_back(register_module(fmt::format("layer{}", stage + 1), layer));
    }
    fc_ = register_module("fc", flow.linear(flow.channels, options.classes));
    cost_ = flow.cost;
    for (auto& module : modules(/*include_self=*/false)) {
      if (auto* conv = module->as<torch::nn::Conv2d>()) {
        torch::nn::init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
      }
    }
  }

  Tensor forward(Tensor x) override {
    x = batch_norm_relu(bn1_, convolve(conv1_, x));
    if (imagenet_stem_) x = torch::max_pool2d(x, 3, 2, 1);
    for (auto& layer : layers_) x = layer->forward(x);
    return fc_(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
  }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    NetworkGraph::Value x = graph.conv(NetworkGraph::kInput, "conv1", conv1_);
    x = graph.relu(graph.norm(x, "bn1", bn1_));
    if (imagenet_stem_) x = graph.max_pool(x, 3, 2, 1);
    for (std::size_t stage = 0; stage < layers_.size(); ++stage) {
      const auto& blocks = layers_[stage]->children();
      for (std::size_t i = 0; i < blocks.size(); ++i)
        x = blocks[i]->as<BlockImpl>()->draw(graph, x, fmt::format("layer{}.{}", stage + 1, i));
    }
    graph.linear(graph.flatten(graph.mean(x)), "fc", fc_);
    return graph;
  }
  Cost cost() const override { return cost_; }
  bool takes_any_size() const override { return true; }

 private:
  bool imagenet_stem_;
  Cost cost_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  std::vector<torch::nn::Sequential> layers_;
  torch::nn::Linear fc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_resnet(const ModelOptions& options, const ResNetForm& form,
                                     bool imagenet_stem) {
  return std::make_shared<ResNet>(options, form, imagenet_stem);
}

}  // namespace glidepath
