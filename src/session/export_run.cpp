// src/session/export_run.cpp - a run's model in a format that other programs load.
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "config/own_programs.h"
#include "core/data_names.h"
#include "core/safe_text.h"
#include "export/onnx.h"
#include "export/torchscript.h"
#include "files/atomic_file.h"
#include "files/json_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/export.h"
#include "glidepath/train.h"
#include "model/module_model.h"
#include "model/write_safetensors.h"
#include "nn/network.h"
#include "run/run_weights.h"
#include "session/wanted_images.h"
#include "setup/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

using Json = nlohmann::ordered_json;

const std::string kPreprocessing = "preprocessing";

/// The network of a run with its weights, and what it takes.
struct Exported {
  TrainConfig config;
  NetworkForm form;
  std::string preprocessing;  // JSON
  std::shared_ptr<Network> network;
  TensorMap weights;  // float32
  std::int64_t step = -1;
};

/// Nothing of where the data lay.
std::string data_of(const TrainConfig& config) { return config.data.substr(0, config.data.find(':')); }

Json numbers(const std::vector<float>& values) {
  Json list = Json::array();
  // The shortest that is this float: 0.485, not 0.48500001430511475.
  for (const float value : values) list.push_back(std::stod(fmt::format("{}", value)));
  return list;
}

Json shape_of(const std::vector<Dimension>& dimensions) {
  Json list = Json::array();
  for (const Dimension& each : dimensions)
    list.push_back(each.name.empty() ? Json(each.size) : Json(each.name));
  return list;
}

/// How `more` of the run's data become the input, and what the outputs are.
void describe(Exported& exported, const Json& input, const Json& more, const Json& classes) {
  const TrainConfig& config = exported.config;
  Json json = {{"model", {{"name", config.model}, {"width", config.width}, {"stem", config.stem}}},
               {"data", data_of(config)},
               {"input",
                {{"name", exported.form.input},
                 {"dtype", exported.form.takes_tokens() ? "int64" : "float32"},
                 {"shape", shape_of(exported.form.input_shape)}}}};
  json["input"].update(input);
  json.update(more);
  json["output"] = {{"name", "logits"}, {"shape", shape_of(exported.form.output_shape)}};
  json["classes"] = classes;
  exported.preprocessing = json_text(json, 2);
}

Json normalisation(const SetFacts& facts) {
  return {{"divide_by", 255}, {"mean", numbers(facts.mean)}, {"std", numbers(facts.stddev)}};
}

/// Images with a class each.
ModelOptions describe_images(Exported& exported, const fs::path& run) {
  const WantedImages wanted = wanted_images(exported.config, run);
  const SetFacts& facts = wanted.facts;
  exported.form.input_shape = {"batch", facts.channels, wanted.side, wanted.side};
  exported.form.output_shape = {"batch", facts.classes};
  Json classes = Json::array();
  for (std::int64_t i = 0; i < facts.classes; ++i) classes.push_back(as_utf8(class_name(facts, i)));
  Json more = {{"exif_orientation", wanted.exif_orientation},
               {"resize_shorter_side", wanted.resize},
               {"interpolation", "bilinear, antialiased"},
               {"centre_crop", wanted.side}};
  more.update(normalisation(facts));
  describe(exported, {{"channels", facts.channels == 1 ? "L" : "RGB"}}, more, classes);
  return model_options(exported.config, wanted);
}

/// Images with masks, of any size, or texts.
ModelOptions describe_own(Exported& exported, const fs::path& run) {
  const auto names = class_names_of(run);
  const auto count = static_cast<std::int64_t>(names.size());
  Json classes = Json::array();
  for (const std::string& name : names) classes.push_back(as_utf8(name));
  if (data_prefix(exported.config.data) == kTokens) {
    exported.form = {"tokens", {"batch", "tokens"}, {"batch", "tokens", count}};
    describe(exported, {{"most_tokens", exported.config.context}}, Json::object(), classes);
  } else {
    exported.form = {"images", {"batch", 3, "height", "width"}, {"batch", count, "height", "width"}};
    describe(exported, {{"channels", "RGB"}}, normalisation(set_facts("imagefolder:").value()), classes);
  }
  return model_options(exported.config, count);
}

Exported read_exported(const fs::path& run) {
  const RunWeights found = find_run_weights(run);
  Exported exported;
  exported.config = with_programs_of_run(read_run_config(found.run), found.run);
  if (const auto program = script_file(exported.config.model))
    throw InputError(
        fmt::format("{}: its model is the program {}, which is TorchScript already; the weights of the "
                    "run are in model.safetensors, by the names that it has for them",
                    run.string(), *program));
  if (const auto program = exported_file(exported.config.model))
    throw InputError(
        fmt::format("{}: its model is the program {}, which Python exports; the weights of the run are in "
                    "model.safetensors, by the names that its module has for them",
                    run.string(), *program));
  const std::string prefix = data_prefix(exported.config.data);
  const bool is_own = prefix == kTokens || prefix == kSegmentation;
  const ModelOptions options =
      is_own ? describe_own(exported, found.run) : describe_images(exported, found.run);
  exported.network = make_network(options);
  exported.network->eval();
  ModuleModel model(exported.network, {});
  exported.step = load_run_weights(found.files.back(), model);
  for (const auto& [name, tensor] : state_dict(model)) exported.weights[name] = tensor.detach().contiguous();
  return exported;
}

struct Format {
  const char* name;
  const char* ending;
};
constexpr Format kFormats[] = {{"safetensors", ".safetensors"}, {"torchscript", ".pt"}, {"onnx", ".onnx"}};

fs::path file_for(const fs::path& run, const ExportOptions& options) {
  for (const Format& format : kFormats) {
    if (options.format != format.name) continue;
    if (options.out.empty()) return (run / (std::string("export") + format.ending)).lexically_normal();
    if (is_there(options.out)) {
      throw InputError(
          fmt::format("{}: is there already; remove it, or give another --out", options.out.string()));
    }
    return options.out;
  }
  throw InputError(
      fmt::format("format \"{}\": must be one of safetensors, torchscript, onnx", options.format));
}

NetworkGraph graph_of(const Exported& exported, const std::string& format) {
  auto graph = exported.network->graph();
  if (!graph) {
    throw InputError(
        fmt::format("format \"{}\": model \"{}\" has no list of operators to write; use safetensors", format,
                    exported.config.model));
  }
  return *std::move(graph);
}

std::string onnx_bytes(const Exported& exported, const ExportOptions& options, ExportResult& result) {
  const NetworkGraph graph = graph_of(exported, options.format);
  result.operators = onnx_operators(graph);
  OnnxOptions onnx;
  onnx.opset = options.opset;
  onnx.form = exported.form;
  onnx.metadata = {{kPreprocessing, exported.preprocessing}};
  return onnx_of(graph, exported.weights, onnx);
}

}  // namespace

ExportResult export_run(const fs::path& run, const ExportOptions& options) {
  if (options.opset < kOldestOpset || options.opset > kNewestOpset) {
    throw InputError(fmt::format("opset \"{}\": must be a whole number in [{}, {}]", options.opset,
                                 kOldestOpset, kNewestOpset));
  }
  ExportResult result;
  result.file = file_for(find_run_weights(run).run, options);
  const Exported exported = read_exported(run);
  std::string bytes;
  if (options.format == "torchscript") {
    bytes = torchscript_of(graph_of(exported, options.format), exported.weights,
                           {{kPreprocessing + ".json", exported.preprocessing}});
  } else if (options.format == "onnx") {
    bytes = onnx_bytes(exported, options, result);
  }
  AtomicFile out(result.file);
  if (options.format == "safetensors") {
    // "pt" is what readers of PyTorch's ask for.
    write_safetensors(out, result.file, exported.weights,
                      {{"format", "pt"}, {kPreprocessing, exported.preprocessing}}, Checksum::kNone);
  } else {
    out.write(bytes.data(), bytes.size());
    out.commit();
  }
  result.bytes = fs::file_size(result.file);
  result.step = exported.step;
  if (exported.config.test_augment != "none") {
    result.notes.push_back(fmt::format(
        "the run is tested with test_augment \"{}\", the mean over several views of an image; the file has "
        "the network for one",
        exported.config.test_augment));
  }
  return result;
}

}  // namespace glidepath
