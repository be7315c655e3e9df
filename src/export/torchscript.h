// src/export/torchscript.h - a network as a TorchScript archive.
#pragma once
#include <map>
#include <string>

#include "glidepath/safetensors.h"
#include "nn/graph.h"

namespace glidepath {

/// The bytes of an archive that torch::jit::load and Python's torch.jit.load read: a module with parameters
/// and buffers under their own names, whose forward(input) is the graph's, for any number of images or
/// texts, in evaluation mode always. `weights` are float32 on the CPU; a norm's running statistics are
/// buffers. `extra` goes into the archive as files (extra/NAME).
std::string torchscript_of(const NetworkGraph& graph, const TensorMap& weights,
                           const std::map<std::string, std::string>& extra);

}  // namespace glidepath
