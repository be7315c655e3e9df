// src/export/torchscript.cpp - a network as a TorchScript archive: its tree of modules, and forward as text.
#include "export/torchscript.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/module.h>

namespace glidepath {
namespace {

namespace jit = torch::jit;

bool is_buffer(const std::string& name) {
  return name == "running_mean" || name == "running_var" || name == "num_batches_tracked";
}

/// Modules by the parts of their tensors' names. Children come first: a module's type names theirs.
struct Tree {
  std::map<std::string, torch::Tensor> tensors;
  std::map<std::string, Tree> children;

  void put(const std::string& name, const torch::Tensor& tensor) {
    const std::size_t dot = name.find('.');
    if (dot == std::string::npos) {
      tensors[name] = tensor;
    } else {
      children[name.substr(0, dot)].put(name.substr(dot + 1), tensor);
    }
  }
  jit::Module made(const std::shared_ptr<jit::CompilationUnit>& unit, const std::string& type) const {
    jit::Module module(c10::QualifiedName("__torch__.glidepath." + type), unit, /*shouldMangle=*/true);
    module.register_attribute("training", c10::BoolType::get(), false);
    for (const auto& [name, tensor] : tensors) module.register_parameter(name, tensor, is_buffer(name));
    for (const auto& [name, child] : children) module.register_module(name, child.made(unit, "Layer"));
    return module;
  }
};

/// "layer1.0.conv1" -> getattr(self.layer1, "0").conv1
std::string path_to(const std::string& module) {
  std::istringstream parts(module);
  std::string path = "self";
  for (std::string part; std::getline(parts, part, '.');) {
    const bool is_number = part.find_first_not_of("0123456789") == std::string::npos;
    path = is_number ? fmt::format("getattr({}, \"{}\")", path, part) : path + "." + part;
  }
  return path;
}

std::string expression(const GraphNode& node) {
  const std::string x = fmt::format("v{}", node.inputs.front());
  const std::string module = path_to(node.module);
  const std::string bias = node.bias ? module + ".bias" : "None";
  switch (node.op) {
    case GraphOp::kConv:
      return fmt::format("torch.conv2d({0}, {1}.weight, {2}, [{3}, {3}], [{4}, {4}])", x, module, bias,
                         node.stride, node.padding);
    case GraphOp::kNorm:
      return fmt::format(
          "torch.batch_norm({0}, {1}.weight, {1}.bias, {1}.running_mean, {1}.running_var, False, 0.0, {2}, "
          "False)",
          x, module, node.number);
    case GraphOp::kRelu:
      return fmt::format("torch.relu({})", x);
    case GraphOp::kGelu:
      return fmt::format("torch.gelu({})", x);
    case GraphOp::kAdd:
      return fmt::format("{} + v{}", x, node.inputs.back());
    case GraphOp::kMaxPool:
      return fmt::format("torch.max_pool2d({0}, [{1}, {1}], [{2}, {2}], [{3}, {3}])", x, node.kernel,
                         node.stride, node.padding);
    case GraphOp::kMean:
      return fmt::format("torch.adaptive_avg_pool2d({}, [1, 1])", x);
    case GraphOp::kLargest:
      return fmt::format("torch.amax({}, [2, 3], True)", x);
    case GraphOp::kFlatten:
      return fmt::format("torch.flatten({}, 1)", x);
    case GraphOp::kLinear:
      return fmt::format("torch.linear({}, {}.weight, {})", x, module, bias);
    case GraphOp::kDivide:
      return fmt::format("{} / {:.1f}", x, node.number);
    case GraphOp::kConvTranspose:
      return fmt::format("torch.conv_transpose2d({0}, {1}.weight, {2}, [{3}, {3}])", x, module, bias,
                         node.stride);
    case GraphOp::kConcat:
      return fmt::format("torch.cat([{}, v{}], 1)", x, node.inputs.back());
    case GraphOp::kPadTo:
      return fmt::format("torch.constant_pad_nd({0}, [0, -{0}.size(3) % {1}, 0, -{0}.size(2) % {1}])", x,
                         node.count);
    case GraphOp::kCropLike:
      return fmt::format("{0}[:, :, :v{1}.size(2), :v{1}.size(3)]", x, node.inputs.back());
    case GraphOp::kEmbedding:
      return fmt::format("torch.embedding({}.weight, {})", module, x);
    case GraphOp::kAddPlaces:
      return fmt::format("{0} + {1}.weight[:{0}.size(1)]", x, module);
    case GraphOp::kScaleNorm:
      return fmt::format("torch.layer_norm({0}, {1}.weight.size(), {1}.weight, None, {2})", x, module,
                         node.number);
    case GraphOp::kProject:
      return fmt::format("torch.linear({}, {}.weight)", x, module);
    case GraphOp::kAttention:
      return fmt::format("self.attend({}, {}, {:.9f})", x, node.count, node.number);
  }
  return {};
}

constexpr const char* kAttend = R"(def attend(self, x: Tensor, heads: int, divisor: float) -> Tensor:
  batch = x.size(0)
  tokens = x.size(1)
  parts = torch.permute(torch.reshape(x, [batch, tokens, 3, heads, -1]), [2, 0, 3, 1, 4])
  scores = torch.matmul(parts[0], torch.transpose(parts[1], 2, 3)) / divisor
  future = torch.triu(torch.new_full(x, [tokens, tokens], -3.4028234663852886e38), 1)
  seen = torch.matmul(torch.softmax(scores + future, 3), parts[2])
  return torch.reshape(torch.transpose(seen, 1, 2), [batch, tokens, -1])
)";

std::string source_of(const NetworkGraph& graph) {
  const auto is_attention = [](const GraphNode& node) { return node.op == GraphOp::kAttention; };
  const bool attends = std::any_of(graph.nodes().begin(), graph.nodes().end(), is_attention);
  std::string source = std::string(attends ? kAttend : "") + "def forward(self, v0: Tensor) -> Tensor:\n";
  std::size_t value = 0;
  for (const GraphNode& node : graph.nodes())
    source += fmt::format("  v{} = {}\n", ++value, expression(node));
  return source + fmt::format("  return v{}\n", value);
}

}  // namespace

std::string torchscript_of(const NetworkGraph& graph, const TensorMap& weights,
                           const std::map<std::string, std::string>& extra) {
  Tree tree;
  for (const auto& [name, tensor] : weights) tree.put(name, tensor.detach());
  const jit::Module module = [&] {
    jit::Module made = tree.made(std::make_shared<jit::CompilationUnit>(), "Network");
    made.define(source_of(graph));
    return made;
  }();
  std::ostringstream out;
  module.save(out, jit::ExtraFilesMap(extra.begin(), extra.end()));
  return out.str();
}

}  // namespace glidepath
