// src/nn/graph.h - what a network computes in evaluation mode: operators in their order, for other programs.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace glidepath {

enum class GraphOp {
  kConv,
  kNorm,
  kRelu,
  kGelu,
  kAdd,
  kMaxPool,
  kMean,
  kLargest,
  kFlatten,
  kLinear,
  kDivide,
  // of networks that label pixels
  kConvTranspose,
  kConcat,
  kPadTo,
  kCropLike,
  // of networks of tokens
  kEmbedding,
  kAddPlaces,
  kScaleNorm,
  kProject,
  kAttention
};

/// Of the values that came before, by number: 0 is the images or tokens, node i makes value i + 1.
struct GraphNode {
  GraphOp op = GraphOp::kRelu;
  std::vector<std::size_t> inputs;
  std::string module = {};  ///< of those with weights: in front of their names, as "layer1.0.conv1"
  bool bias = false;        ///< conv, linear: whether it has one
  std::int64_t kernel = 1, stride = 1, padding = 0;  ///< conv, max pool
  std::int64_t count = 1;                            ///< pad: the multiple; attention: heads
  double number = 0;  ///< norm: eps; divide: by what; attention: what scores are divided by
};

/// Made by the networks (Network::graph()) from the modules that they compute with. The last value is the
/// output.
class NetworkGraph {
 public:
  using Value = std::size_t;
  static constexpr Value kInput = 0;

  /// A square kernel, one group.
  Value conv(Value x, const std::string& name, const torch::nn::Conv2d& layer);
  Value norm(Value x, const std::string& name, const torch::nn::BatchNorm2d& layer);
  Value linear(Value x, const std::string& name, const torch::nn::Linear& layer);
  Value relu(Value x) { return add_node({GraphOp::kRelu, {x}}); }
  Value gelu(Value x) { return add_node({GraphOp::kGelu, {x}}); }  ///< the exact one
  Value add(Value x, Value y) { return add_node({GraphOp::kAdd, {x, y}}); }
  Value max_pool(Value x, std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  Value mean(Value x) { return add_node({GraphOp::kMean, {x}}); }        ///< of each channel: [B, C, 1, 1]
  Value largest(Value x) { return add_node({GraphOp::kLargest, {x}}); }  ///< likewise
  Value flatten(Value x) { return add_node({GraphOp::kFlatten, {x}}); }  ///< [B, C H W]
  Value divide(Value x, double by);
  /// A square kernel, no padding.
  Value conv_transpose(Value x, const std::string& name, const torch::nn::ConvTranspose2d& layer);
  Value concat(Value x, Value y) { return add_node({GraphOp::kConcat, {x, y}}); }  ///< channels
  Value pad_to(Value x, std::int64_t multiple);  ///< height and width, by zeros below and on the right
  Value crop_like(Value x, Value y) { return add_node({GraphOp::kCropLike, {x, y}}); }  ///< to y's upper left

  Value embedding(Value tokens, const std::string& name);  ///< [B, T] -> [B, T, C]
  Value add_places(Value x, const std::string& name) { return add_node({GraphOp::kAddPlaces, {x}, name}); }
  Value scale_norm(Value x, const std::string& name, double eps);  ///< layer norm without a bias
  /// x times the weight's transpose, for tokens: a linear layer without a bias.
  Value project(Value x, const std::string& name) { return add_node({GraphOp::kProject, {x}, name}); }
  /// Queries, keys and values side by side [B, T, 3C] -> [B, T, C]; no token looks at later ones.
  Value attention(Value x, std::int64_t heads, double divisor);

  const std::vector<GraphNode>& nodes() const { return nodes_; }

 private:
  Value add_node(GraphNode node) {
    nodes_.push_back(std::move(node));
    return nodes_.size();
  }
  std::vector<GraphNode> nodes_;
};

}  // namespace glidepath
