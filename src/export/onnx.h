// src/export/onnx.h - a network as an ONNX model.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "export/network_form.h"
#include "glidepath/export.h"
#include "glidepath/safetensors.h"
#include "nn/graph.h"

namespace glidepath {

struct OnnxOptions {
  std::int64_t opset = 17;  ///< in [kOldestOpset, kNewestOpset]
  NetworkForm form;
  std::map<std::string, std::string> metadata;
};

/// The bytes of a ModelProto: the form's input and output, weights float32 on the CPU under their own names.
/// Throws InputError where they are more than the 2 GiB that a protocol buffer may have, and where the opset
/// is older than an operator.
std::string onnx_of(const NetworkGraph& graph, const TensorMap& weights, const OnnxOptions& options);

/// ONNX's names of the operators in such a model, sorted, each once.
std::vector<std::string> onnx_operators(const NetworkGraph& graph);

}  // namespace glidepath
