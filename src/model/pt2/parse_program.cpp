// src/model/pt2/parse_program.cpp - the program in an archive of torch.export (torch/_export/serde/schema.py,
// torch/export/pt2_archive/constants.py).
#include <algorithm>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "files/json_text.h"
#include "glidepath/error.h"
#include "model/pt2/parse_graph.h"
#include "model/pt2/program.h"

namespace glidepath::pt2 {
namespace {

constexpr std::int64_t kSchema = 8;    // since PyTorch 2.5
constexpr std::size_t kDeepest = 256;  // brackets; a graph within a graph has some ten
constexpr std::uint64_t kMostJson = std::uint64_t{256} << 20;  // a ViT of 12 layers has 1 MB
const std::string kModels = "models/", kJson = ".json";

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

json json_of(const Archive& archive, const std::string& entry) {
  if (archive.size(entry) > kMostJson)
    archive.refuse(fmt::format("entry \"{}\" has {} bytes", terminal_text(entry), archive.size(entry)));
  const std::string text = archive.text(entry);
  if (json_depth(text) > kDeepest)
    archive.refuse(fmt::format("the brackets of \"{}\" are too deep", terminal_text(entry)));
  json parsed = try_parse_json(text);
  if (!parsed.is_object()) archive.refuse(fmt::format("\"{}\" is no JSON object", terminal_text(entry)));
  return parsed;
}

/// Where a program is in its archive.
struct Place {
  std::string top, model;  // "resnet/", "model"
  std::string program() const { return top + kModels + model + kJson; }
  std::string weights() const { return top + "data/weights/"; }
  std::string constants() const { return top + "data/constants/"; }
  std::string weights_config() const { return weights() + model + "_weights_config.json"; }
  std::string constants_config() const { return constants() + model + "_constants_config.json"; }
};

[[noreturn]] void refuse_pickled(const Archive& archive) {
  throw InputError(
      fmt::format("{}: its weights are pickled, as PyTorch before 2.9 writes them, and nothing is unpickled "
                  "here; load it with PyTorch 2.9 or newer and save it again with torch.export.save()",
                  archive.file().string()));
}

Place place_of(const Archive& archive) {
  std::vector<Place> places;
  bool is_old = false;
  for (const std::string& name : archive.names()) {
    is_old = is_old || ends_with(name, "serialized_exported_program.json");
    const std::size_t at = name.find(kModels);
    if (at == std::string::npos || (at > 0 && name.find('/') != at - 1) || !ends_with(name, kJson)) continue;
    const std::size_t begin = at + kModels.size();
    if (name.size() <= begin + kJson.size()) continue;
    places.push_back({name.substr(0, at), name.substr(begin, name.size() - kJson.size() - begin)});
  }
  if (places.empty() && is_old) refuse_pickled(archive);
  if (places.empty()) archive.refuse("has no models/model.json");
  if (places.size() > 1) archive.refuse(fmt::format("has {} programs, and one is trained", places.size()));
  return places.front();
}

StoredTensor parse_stored(const json& payload, const std::string& folder) {
  StoredTensor stored;
  stored.entry = folder + text_of(field(payload, "path_name"));
  stored.is_pickled = truth_of(field(payload, "use_pickle"));
  const json& meta = field(payload, "tensor_meta");
  if (stored.is_pickled || meta.is_null()) {
    stored.is_pickled = true;
    return stored;
  }
  stored.requires_grad = truth_of(field(payload, "is_param")) && truth_of(field(meta, "requires_grad"));
  stored.dtype = whole_of(field(meta, "dtype"));
  stored.offset = whole_size(field(meta, "storage_offset"));
  for (const json& size : list_of(field(meta, "sizes"))) stored.sizes.push_back(whole_size(size));
  for (const json& stride : list_of(field(meta, "strides"))) stored.strides.push_back(whole_size(stride));
  return stored;
}

/// `config` says what the entries of `folder` are.
std::map<std::string, StoredTensor> stored_in(const Archive& archive, const std::string& folder,
                                              const std::string& config) {
  std::map<std::string, StoredTensor> tensors;
  const json parsed = json_of(archive, config);
  for (const auto& item : object_of(field(parsed, "config")).items())
    tensors[item.key()] = parse_stored(item.value(), folder);
  return tensors;
}

ProgramInput parse_input(const json& spec) {
  const auto [key, value] = union_of(spec);
  ProgramInput input;
  const auto take = [&](InputKind kind, const char* name) {
    input.kind = kind;
    input.argument = parse_tensor(field(*value, "arg"));
    input.name = text_of(field(*value, name));
  };
  if (key == "parameter") {
    take(InputKind::kParameter, "parameter_name");
  } else if (key == "buffer") {
    take(InputKind::kBuffer, "buffer_name");
    input.is_persistent = truth_of(field(*value, "persistent"));
  } else if (key == "tensor_constant") {
    take(InputKind::kConstant, "tensor_constant_name");
  } else if (key == "user_input") {
    input.argument = parse_argument(field(*value, "arg"));
    // A number that was given to torch.export is part of the program.
    if (input.argument.kind != Kind::kTensor) input.kind = InputKind::kValue;
  } else if (key == "constant_input") {
    input.kind = InputKind::kValue;
    input.argument = parse_argument(field(*value, "value"));
    input.name = text_of(field(*value, "name"));
  } else {
    throw WrongJson(
        fmt::format("has an input of the kind \"{}\", of which nothing can be trained", terminal_text(key)));
  }
  return input;
}

ProgramOutput parse_output(const json& spec) {
  const auto [key, value] = union_of(spec);
  ProgramOutput output;
  if (key == "user_output") {
    output.argument = parse_argument(field(*value, "arg"));
  } else if (key == "loss_output") {
    output.argument = parse_tensor(field(*value, "arg"));
  } else if (key == "buffer_mutation") {
    output.is_mutation = true;
    output.argument = parse_tensor(field(*value, "arg"));
    output.name = text_of(field(*value, "buffer_name"));
  } else {
    throw WrongJson(
        fmt::format("has an output of the kind \"{}\", which is not supported", terminal_text(key)));
  }
  return output;
}

Range parse_range(const json& range) {
  Range parsed;
  if (const json& least = field(range, "min_val"); !least.is_null()) parsed.least = whole_of(least);
  if (const json& most = field(range, "max_val"); !most.is_null()) parsed.most = whole_of(most);
  return parsed;
}

void parse_module(const json& module, Program& program) {
  program.graph = parse_graph(field(module, "graph"));
  const json& signature = field(module, "signature");
  for (const json& spec : list_of(field(signature, "input_specs")))
    program.inputs.push_back(parse_input(spec));
  for (const json& spec : list_of(field(signature, "output_specs")))
    program.outputs.push_back(parse_output(spec));
}

void check_schema(const Archive& archive, const json& parsed, const std::string& version) {
  const std::int64_t major = whole_of(field(field(parsed, "schema_version"), "major"));
  if (major == kSchema) return;
  throw InputError(fmt::format("{}: is of PyTorch {} with version {} of its schema; {} is read here",
                               archive.file().string(), terminal_text(version), major, kSchema));
}

}  // namespace

Program parse_program(const Archive& archive) {
  const Place place = place_of(archive);
  Program program;
  std::string entry = place.program();
  try {
    const json parsed = json_of(archive, entry);
    if (parsed.contains("torch_version")) program.torch_version = text_of(field(parsed, "torch_version"));
    check_schema(archive, parsed, program.torch_version);
    parse_module(field(parsed, "graph_module"), program);
    for (const auto& item : object_of(field(parsed, "range_constraints")).items())
      program.ranges[item.key()] = parse_range(item.value());
    entry = place.weights_config();
    if (!archive.has(entry) && archive.has(place.weights() + place.model + ".pt")) refuse_pickled(archive);
    program.weights = stored_in(archive, place.weights(), entry);
    entry = place.constants_config();
    program.constants = stored_in(archive, place.constants(), entry);
  } catch (const WrongJson& wrong) {
    archive.refuse(fmt::format("\"{}\" {}", terminal_text(entry), wrong.what()));
  }
  return program;
}

}  // namespace glidepath::pt2
