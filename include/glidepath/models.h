// include/glidepath/models.h - the networks, with torchvision's parameter names and shapes.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>

#include "glidepath/safetensors.h"

namespace glidepath {

/// images float [B, in_channels, image_size, image_size] -> logits [B, classes].
class Model : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor images) = 0;
  /// Floating-point operations of forward for one image (a multiply-add counts as 2), from the model's real
  /// convolutions, linear and norm layers at the image size it was made for.
  virtual double forward_flops() const = 0;
  /// Likewise of the backward pass for one image: every layer's gradients for its weights and its input, but
  /// for the input of the first layer, where none is needed.
  virtual double backward_flops() const = 0;
  /// Whether forward takes images of other sizes than the one it was made for.
  virtual bool takes_any_size() const { return false; }
};

struct ModelOptions {
  std::string name = "resnet18";  ///< one of model_names()
  double width = 1;               ///< multiplies every channel count; each is rounded to at least 1
  std::string stem = "auto";  ///< "cifar" (3x3, no pool), "imagenet" (7x7 stride 2 + pool), "auto": by image
                              ///< size (cifar up to 64)
  std::int64_t classes = 10;
  std::int64_t in_channels = 3;
  std::int64_t image_size = 32;  ///< height and width of the input
};

/// resnet18, resnet34, resnet50 (He et al. 2016), resnet8, resnet20, resnet32, resnet56 (the same paper's
/// CIFAR family, 16-32-64 channels), convnet, mlp. Every shortcut that changes shape is a 1x1 convolution
/// with a norm (the paper's option B): option A, which the paper uses on CIFAR-10, has no parameters, and the
/// names downsample.0 and downsample.1 would be missing.
const std::vector<std::string>& model_names();

/// Builds and initialises a model from torch's default generator (seed it first).
/// Throws InputError for an unknown name or an option out of range.
std::shared_ptr<Model> make_model(const ModelOptions& options);

/// Parameters and buffers by name: the names and shapes of torchvision's state_dict(). The tensors are the
/// model's own, not copies.
TensorMap state_dict(const Model& model);

/// More bytes than weights for the model have, in whatever dtype: 8 for each number, and a megabyte for what
/// some files hold beside them. What load_safetensors() may be asked to take.
std::uint64_t most_weight_bytes(const Model& model);

/// Copies `tensors` into the model; dtype, device and memory format stay the model's.
/// Throws InputError naming the first tensor that is missing, unknown or of another shape; the model is then
/// unchanged.
void load_state_dict(Model& model, const TensorMap& tensors);

}  // namespace glidepath
