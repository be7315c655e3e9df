// src/model/pt2/parse_graph.h - a graph of torch.export, from its JSON.
#pragma once
#include "model/pt2/json_fields.h"
#include "model/pt2/program.h"

namespace glidepath::pt2 {

/// Of the union Argument. Throws WrongJson, as all here.
Argument parse_argument(const json& value);
/// Of {"name": ...}, which stands for a tensor.
Argument parse_tensor(const json& value);
TensorFacts parse_facts(const json& meta);
std::int64_t whole_size(const json& size);
Graph parse_graph(const json& graph);

}  // namespace glidepath::pt2
