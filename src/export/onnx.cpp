// src/export/onnx.cpp - a network as an ONNX model. Numbers of fields are those of onnx.proto.
#include "export/onnx.h"

#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "export/protobuf.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::int64_t kFloat = 1, kInt64 = 7;  // TensorProto's
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;
constexpr std::int64_t kLayerNormalization = 17;  // the opset that brought it
const std::string kOutput = "logits";

/// The format's version that an opset came with.
std::int64_t ir_version(std::int64_t opset) {
  if (opset < 15) return 7;
  if (opset < 19) return 8;
  return opset < 21 ? 9 : 10;
}

ProtobufMessage attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  ProtobufMessage message;
  message.text(1, name);
  for (const std::int64_t value : values) message.integer(8, value);
  message.integer(20, 7);  // INTS
  return message;
}

ProtobufMessage attribute(const std::string& name, std::int64_t value) {
  ProtobufMessage message;
  message.text(1, name);
  message.integer(3, value);
  message.integer(20, 2);  // INT
  return message;
}

ProtobufMessage attribute(const std::string& name, float value) {
  ProtobufMessage message;
  message.text(1, name);
  message.number(2, value);
  message.integer(20, 1);  // FLOAT
  return message;
}

/// Whole numbers as int64, others as float.
ProtobufMessage tensor_of(const std::string& name, const torch::Tensor& tensor) {
  const bool is_whole = tensor.scalar_type() == torch::kInt64;
  const torch::Tensor plain =
      tensor.detach().to(is_whole ? torch::kInt64 : torch::kFloat32).cpu().contiguous();
  ProtobufMessage message;
  for (const std::int64_t size : plain.sizes()) message.integer(1, size);
  message.integer(2, is_whole ? kInt64 : kFloat);
  message.text(8, name);
  message.data(9, plain.data_ptr(), plain.nbytes());
  return message;
}

ProtobufMessage value_of(const std::string& name, std::int64_t type_of_numbers,
                         const std::vector<Dimension>& dimensions) {
  ProtobufMessage shape;
  for (const Dimension& each : dimensions) {
    ProtobufMessage dimension;
    if (each.name.empty()) {
      dimension.integer(1, each.size);
    } else {
      dimension.text(2, each.name);
    }
    shape.message(1, dimension);
  }
  ProtobufMessage tensor, type, value;
  tensor.integer(1, type_of_numbers);
  tensor.message(2, shape);
  type.message(1, tensor);
  value.text(1, name);
  value.message(2, type);
  return value;
}

/// Adds operators, and the tensors that they take, to a GraphProto.
class OnnxGraph {
 public:
  OnnxGraph(const NetworkGraph& graph, const TensorMap* weights, std::string input)
      : last_(graph.nodes().size()), weights_(weights), input_(std::move(input)) {
    for (const GraphNode& node : graph.nodes()) {
      ++value_;
      add(node);
    }
  }
  ProtobufMessage& message() { return graph_; }
  const std::set<std::string>& operators() const { return operators_; }

 private:
  std::string name_of(std::size_t value) const {
    if (value == NetworkGraph::kInput) return input_;
    return value == last_ ? kOutput : fmt::format("v{}", value);
  }

  std::string weight(const std::string& name) {
    if (weights_ != nullptr && given_.insert(name).second)
      graph_.message(5, tensor_of(name, weights_->at(name)));
    return name;
  }
  std::string constant(double value) {
    return given(fmt::format("constant_{}", value), torch::scalar_tensor(value));
  }
  std::string whole(std::int64_t value) {
    return given(fmt::format("whole_{}", value), torch::scalar_tensor(value, torch::kInt64));
  }
  std::string wholes(const std::vector<std::int64_t>& values) {
    return given(fmt::format("wholes_{}", fmt::join(values, "_")), torch::tensor(values, torch::kInt64));
  }
  std::string given(const std::string& name, const torch::Tensor& value) {
    if (weights_ != nullptr && given_.insert(name).second) graph_.message(5, tensor_of(name, value));
    return name;
  }

  void emit(const std::string& op, const std::vector<std::string>& inputs, const std::string& output,
            const std::vector<ProtobufMessage>& attributes = {}) {
    ProtobufMessage node;
    for (const std::string& input : inputs) node.text(1, input);
    node.text(2, output);
    node.text(3, fmt::format("{}_{}", op, output));
    node.text(4, op);
    for (const ProtobufMessage& each : attributes) node.message(5, each);
    graph_.message(1, node);
    operators_.insert(op);
  }

  std::vector<std::string> with_weights(const GraphNode& node, const std::string& x) {
    std::vector<std::string> inputs = {x, weight(node.module + ".weight")};
    if (node.bias) inputs.push_back(weight(node.module + ".bias"));
    return inputs;
  }

  void add(const GraphNode& node) {
    const std::string x = name_of(node.inputs.front()), out = name_of(value_);
    const auto window = [&] {
      return std::vector<ProtobufMessage>{
          attribute("kernel_shape", std::vector<std::int64_t>(2, node.kernel)),
          attribute("strides", std::vector<std::int64_t>(2, node.stride)),
          attribute("pads", std::vector<std::int64_t>(4, node.padding))};
    };
    switch (node.op) {
      case GraphOp::kConv:
        return emit("Conv", with_weights(node, x), out, window());
      case GraphOp::kNorm:
        return add_norm(node, x, out);
      case GraphOp::kRelu:
        return emit("Relu", {x}, out);
      case GraphOp::kGelu:
        return add_gelu(x, out);
      case GraphOp::kAdd:
        return emit("Add", {x, name_of(node.inputs.back())}, out);
      case GraphOp::kMaxPool:
        return emit("MaxPool", {x}, out, window());
      case GraphOp::kMean:
        return emit("GlobalAveragePool", {x}, out);
      case GraphOp::kLargest:
        return emit("GlobalMaxPool", {x}, out);
      case GraphOp::kFlatten:
        return emit("Flatten", {x}, out, {attribute("axis", std::int64_t{1})});
      case GraphOp::kLinear:
        return emit("Gemm", with_weights(node, x), out, {attribute("transB", std::int64_t{1})});
      case GraphOp::kDivide:
        return emit("Div", {x, constant(node.number)}, out);
      case GraphOp::kConvTranspose:
        return emit("ConvTranspose", with_weights(node, x), out, window());
      case GraphOp::kConcat:
        return emit("Concat", {x, name_of(node.inputs.back())}, out, {attribute("axis", std::int64_t{1})});
      case GraphOp::kPadTo:
        return add_padding(node, x, out);
      case GraphOp::kCropLike:
        sizes(name_of(node.inputs.back()), {2, 3}, out + "_ends");
        return emit("Slice", {x, wholes({0, 0}), out + "_ends", wholes({2, 3})}, out);
      case GraphOp::kEmbedding:
        return emit("Gather", {weight(node.module + ".weight"), x}, out);
      case GraphOp::kAddPlaces:
        sizes(x, {1}, out + "_tokens");
        emit("Slice", {weight(node.module + ".weight"), wholes({0}), out + "_tokens", wholes({0})},
             out + "_places");
        return emit("Add", {x, out + "_places"}, out);
      case GraphOp::kScaleNorm:
        return emit("LayerNormalization", {x, weight(node.module + ".weight")}, out,
                    {attribute("epsilon", static_cast<float>(node.number))});
      case GraphOp::kProject:
        emit("Transpose", {weight(node.module + ".weight")}, out + "_turned", {attribute("perm", {1, 0})});
        return emit("MatMul", {x, out + "_turned"}, out);
      case GraphOp::kAttention:
        return add_attention(node, x, out);
    }
  }

  /// Of a value, along some of its dimensions.
  void sizes(const std::string& value, const std::vector<std::int64_t>& dimensions, const std::string& out) {
    emit("Shape", {value}, out + "_shape");
    emit("Gather", {out + "_shape", wholes(dimensions)}, out);
  }

  // What lacks to the multiple: (m - side mod m) mod m.
  void add_padding(const GraphNode& node, const std::string& x, const std::string& out) {
    const std::string multiple = whole(node.count);
    sizes(x, {2, 3}, out + "_sides");
    emit("Mod", {out + "_sides", multiple}, out + "_over");
    emit("Sub", {multiple, out + "_over"}, out + "_lacks");
    emit("Mod", {out + "_lacks", multiple}, out + "_more");
    emit("Concat", {wholes({0, 0, 0, 0, 0, 0}), out + "_more"}, out + "_pads",
         {attribute("axis", std::int64_t{0})});
    emit("Pad", {x, out + "_pads"}, out);
  }

  void add_attention(const GraphNode& node, const std::string& x, const std::string& out) {
    emit("Reshape", {x, wholes({0, 0, 3, node.count, -1})}, out + "_each");
    emit("Transpose", {out + "_each"}, out + "_parts", {attribute("perm", {2, 0, 3, 1, 4})});
    for (std::int64_t part = 0; part < 3; ++part)
      emit("Gather", {out + "_parts", whole(part)}, fmt::format("{}_part{}", out, part));
    emit("Transpose", {out + "_part1"}, out + "_keys", {attribute("perm", {0, 1, 3, 2})});
    emit("MatMul", {out + "_part0", out + "_keys"}, out + "_products");
    emit("Div", {out + "_products", constant(node.number)}, out + "_scores");
    // Of tokens [T, T], the least number where the second comes later.
    sizes(x, {1, 1}, out + "_tokens");
    emit("Expand", {constant(std::numeric_limits<float>::lowest()), out + "_tokens"}, out + "_least");
    emit("Trilu", {out + "_least", whole(1)}, out + "_future", {attribute("upper", std::int64_t{1})});
    emit("Add", {out + "_scores", out + "_future"}, out + "_masked");
    emit("Softmax", {out + "_masked"}, out + "_shares", {attribute("axis", std::int64_t{-1})});
    emit("MatMul", {out + "_shares", out + "_part2"}, out + "_seen");
    emit("Transpose", {out + "_seen"}, out + "_heads", {attribute("perm", {0, 2, 1, 3})});
    emit("Reshape", {out + "_heads", wholes({0, 0, -1})}, out);
  }

  void add_norm(const GraphNode& node, const std::string& x, const std::string& out) {
    std::vector<std::string> inputs = {x};
    for (const char* each : {".weight", ".bias", ".running_mean", ".running_var"})
      inputs.push_back(weight(node.module + each));
    emit("BatchNormalization", inputs, out, {attribute("epsilon", static_cast<float>(node.number))});
  }

  // x (1 + erf(x / sqrt 2)) / 2: an operator Gelu came with opset 20.
  void add_gelu(const std::string& x, const std::string& out) {
    emit("Div", {x, constant(std::sqrt(2.0))}, out + "_scaled");
    emit("Erf", {out + "_scaled"}, out + "_erf");
    emit("Add", {out + "_erf", constant(1)}, out + "_sum");
    emit("Mul", {x, out + "_sum"}, out + "_product");
    emit("Mul", {out + "_product", constant(0.5)}, out);
  }

  const std::size_t last_;
  const TensorMap* weights_;  // none: the operators alone
  const std::string input_;
  ProtobufMessage graph_;
  std::size_t value_ = 0;
  std::set<std::string> given_, operators_;
};

}  // namespace

std::string onnx_of(const NetworkGraph& graph, const TensorMap& weights, const OnnxOptions& options) {
  if (bytes_of(weights) >= kMostBytes) {
    throw InputError(fmt::format(
        "format \"onnx\": weights of {} bytes; an ONNX file has less than 2 GiB; use torchscript or "
        "safetensors",
        bytes_of(weights)));
  }
  OnnxGraph made(graph, &weights, options.form.input);
  if (made.operators().count("LayerNormalization") > 0 && options.opset < kLayerNormalization) {
    throw InputError(fmt::format("opset \"{}\": the network needs LayerNormalization, which came with {}",
                                 options.opset, kLayerNormalization));
  }
  made.message().text(2, "network");
  made.message().message(11, value_of(options.form.input, options.form.takes_tokens() ? kInt64 : kFloat,
                                      options.form.input_shape));
  made.message().message(12, value_of(kOutput, kFloat, options.form.output_shape));
  ProtobufMessage model, opset;
  model.integer(1, ir_version(options.opset));
  model.text(2, "glidepath");
  model.text(3, GLIDEPATH_VERSION);
  model.message(7, made.message());
  opset.text(1, "");
  opset.integer(2, options.opset);
  model.message(8, opset);
  for (const auto& [key, value] : options.metadata) {
    ProtobufMessage entry;
    entry.text(1, key);
    entry.text(2, value);
    model.message(14, entry);
  }
  return model.bytes();
}

std::vector<std::string> onnx_operators(const NetworkGraph& graph) {
  const OnnxGraph made(graph, nullptr, "input");
  return {made.operators().begin(), made.operators().end()};
}

}  // namespace glidepath
