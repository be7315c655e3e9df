// src/nn/gpt.cpp - a small decoder-only transformer, laid out and named as in nanoGPT.
#include "nn/gpt.h"

#include <cmath>

#include <fmt/format.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "nn/kernels/causal_softmax.h"
#include "nn/kernels/gelu.h"
#include "nn/layers.h"

namespace glidepath {
namespace {

using torch::Tensor;
using Value = NetworkGraph::Value;

constexpr std::int64_t kLayers = 4, kHeads = 4, kHeadChannels = 32;
constexpr double kStandardDeviation = 0.02, kEps = 1e-5;

torch::nn::Linear linear(std::int64_t in, std::int64_t out) {
  return torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false));
}

/// LayerNorm without a bias, which LibTorch's module has no option for.
class ScaleNormImpl : public torch::nn::Module {
 public:
  explicit ScaleNormImpl(std::int64_t channels)
      : weight_(register_parameter("weight", torch::ones({channels}))) {}
  Tensor forward(const Tensor& x) { return torch::layer_norm(x, weight_.sizes(), weight_, {}, kEps); }

 private:
  Tensor weight_;
};
TORCH_MODULE(ScaleNorm);

class AttentionImpl : public torch::nn::Module {
 public:
  explicit AttentionImpl(std::int64_t channels)
      : c_attn_(register_module("c_attn", linear(channels, 3 * channels))),
        c_proj_(register_module("c_proj", linear(channels, channels))) {}

  Tensor forward(const Tensor& x) {
    const std::int64_t batch = x.size(0), tokens = x.size(1), channels = x.size(2), each = channels / kHeads;
    const auto parts = c_attn_(x).view({batch, tokens, 3, kHeads, each}).permute({2, 0, 3, 1, 4});
    const Tensor shares = causal_softmax(torch::matmul(parts[0], parts[1].transpose(2, 3)),
                                         1 / std::sqrt(static_cast<double>(each)));
    return c_proj_(torch::matmul(shares, parts[2]).transpose(1, 2).reshape({batch, tokens, channels}));
  }
  Value draw(NetworkGraph& graph, Value x, const std::string& name) const {
    const double each = static_cast<double>(c_proj_->weight.size(0) / kHeads);
    x = graph.attention(graph.project(x, name + ".c_attn"), kHeads, std::sqrt(each));
    return graph.project(x, name + ".c_proj");
  }

 private:
  torch::nn::Linear c_attn_, c_proj_;
};
TORCH_MODULE(Attention);

class PerceptronImpl : public torch::nn::Module {
 public:
  explicit PerceptronImpl(std::int64_t channels)
      : c_fc_(register_module("c_fc", linear(channels, 4 * channels))),
        c_proj_(register_module("c_proj", linear(4 * channels, channels))) {}
  Tensor forward(const Tensor& x) { return c_proj_(glidepath::gelu(c_fc_(x))); }

 private:
  torch::nn::Linear c_fc_, c_proj_;
};
TORCH_MODULE(Perceptron);

class LayerImpl : public torch::nn::Module {
 public:
  explicit LayerImpl(std::int64_t channels)
      : ln_1_(register_module("ln_1", ScaleNorm(channels))),
        attn_(register_module("attn", Attention(channels))),
        ln_2_(register_module("ln_2", ScaleNorm(channels))),
        mlp_(register_module("mlp", Perceptron(channels))) {}
  Tensor forward(const Tensor& x) {
    const Tensor seen = x + attn_(ln_1_(x));
    return seen + mlp_(ln_2_(seen));
  }
  Value draw(NetworkGraph& graph, Value x, const std::string& name) const {
    x = graph.add(x, attn_->draw(graph, graph.scale_norm(x, name + ".ln_1", kEps), name + ".attn"));
    const Value wide = graph.project(graph.scale_norm(x, name + ".ln_2", kEps), name + ".mlp.c_fc");
    return graph.add(x, graph.project(graph.gelu(wide), name + ".mlp.c_proj"));
  }

 private:
  ScaleNorm ln_1_;
  Attention attn_;
  ScaleNorm ln_2_;
  Perceptron mlp_;
};
TORCH_MODULE(Layer);

/// What nanoGPT calls transformer: a level of names.
class TransformerImpl : public torch::nn::Module {
 public:
  TransformerImpl(std::int64_t vocabulary, std::int64_t context, std::int64_t channels)
      : wte(register_module("wte", torch::nn::Embedding(vocabulary, channels))),
        wpe(register_module("wpe", torch::nn::Embedding(context, channels))) {
    const auto list = register_module("h", torch::nn::ModuleList());
    for (std::int64_t layer = 0; layer < kLayers; ++layer) {
      layers.emplace_back(channels);
      list->push_back(layers.back());
    }
    ln_f = register_module("ln_f", ScaleNorm(channels));
  }

  torch::nn::Embedding wte, wpe;
  std::vector<Layer> layers;
  ScaleNorm ln_f{nullptr};
};
TORCH_MODULE(Transformer);

class Gpt : public Network {
 public:
  explicit Gpt(const ModelOptions& options)
      : context_(options.context),
        transformer_(register_module(
            "transformer",
            Transformer(options.classes, options.context, kHeads * scaled(kHeadChannels, options.width)))) {
    initialise();
    count(static_cast<double>(options.classes),
          static_cast<double>(kHeads * scaled(kHeadChannels, options.width)));
  }

  Tensor forward(Tensor tokens) override {
    const std::int64_t length = tokens.size(1);
    if (length > context_)
      throw InputError(fmt::format("model \"gpt\": {} tokens; it was made for {}", length, context_));
    const Tensor places = torch::arange(length, tokens.options());
    Tensor x = transformer_->wte(tokens) + transformer_->wpe(places);
    for (Layer& layer : transformer_->layers) x = layer(x);
    return torch::linear(transformer_->ln_f(x), transformer_->wte->weight);
  }
  Cost cost() const override { return cost_; }
  std::optional<NetworkGraph> graph() const override {
    NetworkGraph graph;
    Value x = graph.add_places(graph.embedding(NetworkGraph::kInput, "transformer.wte"), "transformer.wpe");
    for (std::size_t i = 0; i < transformer_->layers.size(); ++i)
      x = transformer_->layers[i]->draw(graph, x, fmt::format("transformer.h.{}", i));
    graph.project(graph.scale_norm(x, "transformer.ln_f", kEps), "transformer.wte");
    return graph;
  }

 private:
  void initialise() {
    for (const auto& item : named_parameters()) {
      Tensor weight = item.value();
      if (weight.dim() != 2) continue;
      const bool ends_branch = item.key().find("c_proj") != std::string::npos;
      torch::nn::init::normal_(weight, 0, kStandardDeviation / (ends_branch ? std::sqrt(2.0 * kLayers) : 1));
    }
  }
  // Nothing multiplies before the first linear layer, so that each has both gradients.
  void count(double vocabulary, double channels) {
    const auto tokens = static_cast<double>(context_), layers = static_cast<double>(kLayers);
    const double linear_layers = 2 * 12 * channels * channels, attention = 2 * 2 * tokens * channels;
    const double norms = 2 * channels * (2 * layers + 1);
    cost_.forward = tokens * (layers * (linear_layers + attention) + 2 * channels * vocabulary + norms);
    cost_.backward = 2 * cost_.forward;
  }

  std::int64_t context_;
  Cost cost_;
  Transformer transformer_;
};

}  // namespace

std::shared_ptr<Network> make_gpt(const ModelOptions& options) {
  if (options.context < 1)
    throw InputError(
        fmt::format("model \"gpt\": a context of {} tokens: must be at least 1", options.context));
  return std::make_shared<Gpt>(options);
}

}  // namespace glidepath
