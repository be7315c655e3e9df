// src/model/pt2/parse_graph.cpp - a graph of torch.export, from its JSON (torch/_export/serde/schema.py).
#include "model/pt2/parse_graph.h"

#include <cctype>
#include <functional>

namespace glidepath::pt2 {
namespace {

using Parse = void (*)(Argument&, const json&);

void parse_name(Argument& to, const json& value) { to.names = {text_of(field(value, "name"))}; }

void parse_names(Argument& to, const json& value) {
  for (const json& each : list_of(value)) to.names.push_back(text_of(field(each, "name")));
}

/// {"as_tensor": {"name": ...}} or {"as_none": true}.
void parse_optional_name(Argument& to, const json& value) {
  const auto [key, inner] = union_of(value);
  to.names.push_back(key == "as_tensor" ? text_of(field(*inner, "name")) : std::string());
}

/// {"as_name": ...} or a number of the kind.
template <typename Number>
void parse_symbol(Argument& to, const json& value, std::vector<Number>& numbers,
                  const std::function<Number(const json&)>& number) {
  const auto [key, inner] = union_of(value);
  const bool is_name = key == "as_name";
  to.names.push_back(is_name ? text_of(*inner) : std::string());
  numbers.push_back(is_name ? Number(0) : number(*inner));
}

void parse_whole_symbol(Argument& to, const json& value) {
  parse_symbol<std::int64_t>(to, value, to.ints, whole_of);
}
void parse_truth_symbol(Argument& to, const json& value) {
  parse_symbol<std::int64_t>(to, value, to.ints, [](const json& each) { return truth_of(each) ? 1 : 0; });
}
void parse_real_symbol(Argument& to, const json& value) {
  parse_symbol<double>(to, value, to.floats, real_of);
}

template <void (*parse)(Argument&, const json&)>
void parse_each(Argument& to, const json& value) {
  for (const json& each : list_of(value)) parse(to, each);
}

void add_whole(Argument& to, const json& value) { to.ints.push_back(whole_of(value)); }
void add_truth(Argument& to, const json& value) { to.ints.push_back(truth_of(value) ? 1 : 0); }
void add_real(Argument& to, const json& value) { to.floats.push_back(real_of(value)); }
void parse_text(Argument& to, const json& value) { to.text = text_of(value); }
void parse_device(Argument& to, const json& value) { to.text = text_of(field(value, "type")); }
void parse_inner_graph(Argument& to, const json& value) {
  to.graph = std::make_shared<Graph>(parse_graph(field(value, "graph")));
}

struct Form {
  const char* key;
  Kind kind;
  Parse parse;
};
constexpr Form kForms[] = {
    {"as_none", Kind::kNone, nullptr},
    {"as_tensor", Kind::kTensor, parse_name},
    {"as_tensors", Kind::kTensors, parse_names},
    {"as_optional_tensor", Kind::kOptionalTensors, parse_optional_name},
    {"as_optional_tensors", Kind::kOptionalTensors, parse_each<parse_optional_name>},
    {"as_int", Kind::kInt, add_whole},
    {"as_ints", Kind::kInts, parse_each<add_whole>},
    {"as_sym_int", Kind::kInt, parse_whole_symbol},
    {"as_sym_ints", Kind::kInts, parse_each<parse_whole_symbol>},
    {"as_float", Kind::kFloat, add_real},
    {"as_floats", Kind::kFloats, parse_each<add_real>},
    {"as_sym_float", Kind::kFloat, parse_real_symbol},
    {"as_sym_floats", Kind::kFloats, parse_each<parse_real_symbol>},
    {"as_bool", Kind::kBool, add_truth},
    {"as_bools", Kind::kBools, parse_each<add_truth>},
    {"as_sym_bool", Kind::kBool, parse_truth_symbol},
    {"as_string", Kind::kString, parse_text},
    {"as_scalar_type", Kind::kDtype, add_whole},
    {"as_memory_format", Kind::kMemoryFormat, add_whole},
    {"as_layout", Kind::kLayout, add_whole},
    {"as_device", Kind::kDevice, parse_device},
    {"as_graph", Kind::kGraph, parse_inner_graph},
};

/// "s77", or "Symbol('s77', positive=True, integer=True)" of newer versions; empty for what is no symbol
/// alone.
std::string symbol_of(const std::string& expression) {
  const std::string begin = "Symbol('";
  std::string name = expression;
  if (expression.rfind(begin, 0) == 0) {
    const std::size_t end = expression.find('\'', begin.size());
    if (end == std::string::npos || expression.find(')') != expression.size() - 1) return {};
    name = expression.substr(begin.size(), end - begin.size());
  }
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return {};
  }
  return name;
}

Extent parse_extent(const json& size) {
  const auto [key, value] = union_of(size);
  if (key == "as_int") return {whole_of(*value), ""};
  return {-1, symbol_of(text_of(field(*value, "expr_str")))};
}

Node parse_node(const json& node) {
  Node parsed;
  parsed.target = text_of(field(node, "target"));
  for (const json& input : list_of(field(node, "inputs"))) {
    parsed.inputs.push_back(parse_argument(field(input, "arg")));
    parsed.inputs.back().name = text_of(field(input, "name"));
  }
  for (const json& output : list_of(field(node, "outputs"))) parsed.outputs.push_back(parse_argument(output));
  return parsed;
}

}  // namespace

Argument parse_argument(const json& value) {
  const auto [key, inner] = union_of(value);
  Argument argument;
  for (const Form& form : kForms) {
    if (key != form.key) continue;
    argument.kind = form.kind;
    if (form.parse != nullptr) form.parse(argument, *inner);
    return argument;
  }
  argument.kind = Kind::kOther;
  argument.text = key;
  return argument;
}

Argument parse_tensor(const json& value) {
  Argument argument;
  argument.kind = Kind::kTensor;
  parse_name(argument, value);
  return argument;
}

std::int64_t whole_size(const json& size) {
  const auto [key, value] = union_of(size);
  if (key != "as_int") throw WrongJson("has a symbol for the size of a weight");
  return whole_of(*value);
}

TensorFacts parse_facts(const json& meta) {
  TensorFacts facts;
  facts.dtype = whole_of(field(meta, "dtype"));
  for (const json& size : list_of(field(meta, "sizes"))) facts.sizes.push_back(parse_extent(size));
  return facts;
}

Graph parse_graph(const json& graph) {
  Graph parsed;
  for (const json& input : list_of(field(graph, "inputs"))) parsed.inputs.push_back(parse_argument(input));
  for (const json& output : list_of(field(graph, "outputs")))
    parsed.outputs.push_back(parse_argument(output));
  for (const json& node : list_of(field(graph, "nodes"))) parsed.nodes.push_back(parse_node(node));
  for (const auto& item : object_of(field(graph, "tensor_values")).items())
    parsed.tensors[item.key()] = parse_facts(item.value());
  return parsed;
}

}  // namespace glidepath::pt2
