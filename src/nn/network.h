// src/nn/network.h - the built-in networks as torch modules.
#pragma once
#include <memory>
#include <optional>

#include <torch/nn/module.h>

#include "glidepath/models.h"
#include "nn/graph.h"

namespace glidepath {

/// images float [B, in_channels, image_size, image_size] -> logits [B, classes], but for unet and gpt: see
/// ModelKind.
class Network : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor images) = 0;
  /// At the image size that it was made for.
  virtual Cost cost() const = 0;
  /// The same as operators that other programs have, without softmax; nothing where it cannot be exported.
  virtual std::optional<NetworkGraph> graph() const { return std::nullopt; }
  virtual bool takes_any_size() const { return false; }
  virtual std::int64_t examples_to_begin_with() const { return 0; }
  virtual void begin_with(const torch::Tensor& /*images*/) {}
};

/// What make_model() hands out behind its handle.
std::shared_ptr<Network> make_network(const ModelOptions& options);

}  // namespace glidepath
