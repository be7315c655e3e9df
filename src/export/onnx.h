// src/export/onnx.h - a network as an ONNX model.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "glidepath/export.h"
#include "glidepath/safetensors.h"
#include "nn/graph.h"

namespace glidepath {

struct OnnxOptions {
  std::int64_t opset = 17;              ///< in [kOldestOpset, kNewestOpset]
  std::int64_t channels = 0, side = 0;  ///< of the images
  std::int64_t classes = 0;
  std::map<std::string, std::string> metadata;
};

/// The bytes of a ModelProto: input "images" float [batch, channels, side, side], output "logits" float
/// [batch, classes], weights float32 on the CPU under their own names. Throws InputError where they are more
/// than the 2 GiB that a protocol buffer may have.
std::string onnx_of(const NetworkGraph& graph, const TensorMap& weights, const OnnxOptions& options);

/// ONNX's names of the operators in such a model, sorted, each once.
std::vector<std::string> onnx_operators(const NetworkGraph& graph);

}  // namespace glidepath
