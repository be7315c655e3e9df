// include/glidepath/models.h - the built-in networks, with torchvision's parameter names and shapes.
#pragma once
#include <memory>

#include "glidepath/model.h"
#include "glidepath/model_options.h"

namespace glidepath {

/// Builds and initialises a model from torch's default generator (seed it first): images float [B,
/// in_channels, image_size, image_size] -> logits [B, classes], but for unet and gpt: see ModelKind. Its cost
/// is that of its convolutions, linear and norm layers, and attention, at that size. Throws InputError for an
/// unknown name or an option out of range.
std::shared_ptr<Model> make_model(const ModelOptions& options);

}  // namespace glidepath
