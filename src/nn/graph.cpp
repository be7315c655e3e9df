// src/nn/graph.cpp - what a network computes in evaluation mode.
#include "nn/graph.h"

#include <torch/types.h>

#include "nn/conv_padding.h"

namespace glidepath {

NetworkGraph::Value NetworkGraph::conv(Value x, const std::string& name, const torch::nn::Conv2d& layer) {
  GraphNode node{GraphOp::kConv, {x}, name, layer->bias.defined()};
  node.kernel = layer->weight.size(2);
  node.stride = layer->options.stride()->at(0);
  node.padding = (*padding_of(*layer))->at(0);
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::norm(Value x, const std::string& name,
                                       const torch::nn::BatchNorm2d& layer) {
  GraphNode node{GraphOp::kNorm, {x}, name};
  node.number = layer->options.eps();
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::linear(Value x, const std::string& name, const torch::nn::Linear& layer) {
  return add_node({GraphOp::kLinear, {x}, name, layer->bias.defined()});
}

NetworkGraph::Value NetworkGraph::max_pool(Value x, std::int64_t kernel, std::int64_t stride,
                                           std::int64_t padding) {
  GraphNode node{GraphOp::kMaxPool, {x}};
  node.kernel = kernel;
  node.stride = stride;
  node.padding = padding;
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::divide(Value x, double by) {
  GraphNode node{GraphOp::kDivide, {x}};
  node.number = by;
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::conv_transpose(Value x, const std::string& name,
                                                 const torch::nn::ConvTranspose2d& layer) {
  GraphNode node{GraphOp::kConvTranspose, {x}, name, layer->bias.defined()};
  node.kernel = layer->weight.size(2);
  node.stride = layer->options.stride()->at(0);
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::pad_to(Value x, std::int64_t multiple) {
  GraphNode node{GraphOp::kPadTo, {x}};
  node.count = multiple;
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::embedding(Value tokens, const std::string& name) {
  return add_node({GraphOp::kEmbedding, {tokens}, name});
}

NetworkGraph::Value NetworkGraph::scale_norm(Value x, const std::string& name, double eps) {
  GraphNode node{GraphOp::kScaleNorm, {x}, name};
  node.number = eps;
  return add_node(std::move(node));
}

NetworkGraph::Value NetworkGraph::attention(Value x, std::int64_t heads, double divisor) {
  GraphNode node{GraphOp::kAttention, {x}};
  node.count = heads;
  node.number = divisor;
  return add_node(std::move(node));
}

}  // namespace glidepath
