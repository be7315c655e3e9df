// include/glidepath/exported_model.h - a program of torch.export as a model.
#pragma once
#include <filesystem>
#include <memory>

#include "glidepath/model.h"

namespace glidepath {

/// A program that Python saved with torch.export.save(torch.export.export(module, ...), file), PyTorch 2.9 or
/// newer, trained from the weights that are in it: parameters and buffers have the names of the module's
/// state_dict, and forward calls the graph's operators one by one, so that gradients are autograd's. Norms
/// and dropout follow the model's mode, whichever it was exported in. Forward takes the tensors that the
/// module's did and gives those that it gave, in their order, out of tuples, lists and dictionaries.
///
/// The file holds no code. It may call LibTorch's operators but those that open files, and nothing in it is
/// unpickled.
///
/// Throws InputError that begins with the file: for one that is missing, damaged, of weights that are pickled
/// or do not fit its graph, with operators that this LibTorch lacks or that cannot be trained (all are
/// named), without a parameter, or of a fixed number of examples; and from forward, for inputs that it does
/// not take.
std::shared_ptr<Model> exported_model(const std::filesystem::path& file);

}  // namespace glidepath
