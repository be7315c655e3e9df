// include/glidepath/script_model.h - a TorchScript program as a model.
#pragma once
#include <filesystem>
#include <memory>

#include "glidepath/model.h"

namespace glidepath {

/// A module that Python saved with torch.jit.script(module).save(file), trained from the weights that are in
/// it: its parameters and buffers have the names that they have there, and its forward takes a batch's inputs
/// and gives a tensor, or a tuple, list or dictionary of them. Batch norms in it are found. What file of
/// which version can be read is LibTorch's (docs/models.md).
///
/// The file is a program: it can run whatever code it holds. Load only those of people whom you trust.
///
/// Throws InputError that begins with the file: for one that is missing, truncated, no TorchScript (a pickled
/// checkpoint, which is refused, as is any file that would have to be unpickled by Python), or without a
/// parameter; and from forward, for inputs that it does not take.
std::shared_ptr<Model> script_model(const std::filesystem::path& file);

}  // namespace glidepath
