// src/session/export_run.cpp - a run's model in a format that other programs load.
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <torch/types.h>

#include "config/own_programs.h"
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
  WantedImages wanted;
  std::shared_ptr<Network> network;
  TensorMap weights;  // float32
  std::int64_t step = -1;
};

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
  exported.wanted = wanted_images(exported.config, found.run);
  exported.network = make_network(model_options(exported.config, exported.wanted));
  exported.network->eval();
  ModuleModel model(exported.network, {});
  exported.step = load_run_weights(found.files.back(), model);
  for (const auto& [name, tensor] : state_dict(model)) exported.weights[name] = tensor.detach().contiguous();
  return exported;
}

/// Nothing of where the data lay.
std::string data_of(const TrainConfig& config) { return config.data.substr(0, config.data.find(':')); }

Json numbers(const std::vector<float>& values) {
  Json list = Json::array();
  // The shortest that is this float: 0.485, not 0.48500001430511475.
  for (const float value : values) list.push_back(std::stod(fmt::format("{}", value)));
  return list;
}

std::string preprocessing_of(const Exported& exported) {
  const WantedImages& wanted = exported.wanted;
  const SetFacts& facts = wanted.facts;
  Json classes = Json::array();
  for (std::int64_t i = 0; i < facts.classes; ++i) classes.push_back(as_utf8(class_name(facts, i)));
  const Json json = {
      {"model",
       {{"name", exported.config.model}, {"width", exported.config.width}, {"stem", exported.config.stem}}},
      {"data", data_of(exported.config)},
      {"input",
       {{"name", "images"},
        {"dtype", "float32"},
        {"shape", {"batch", facts.channels, wanted.side, wanted.side}},
        {"channels", facts.channels == 1 ? "L" : "RGB"}}},
      {"exif_orientation", wanted.exif_orientation},
      {"resize_shorter_side", wanted.resize},
      {"interpolation", "bilinear, antialiased"},
      {"centre_crop", wanted.side},
      {"divide_by", 255},
      {"mean", numbers(facts.mean)},
      {"std", numbers(facts.stddev)},
      {"output", {{"name", "logits"}, {"shape", {"batch", facts.classes}}}},
      {"classes", classes}};
  return json_text(json, 2);
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

std::string onnx_bytes(const Exported& exported, const std::string& preprocessing,
                       const ExportOptions& options, ExportResult& result) {
  const NetworkGraph graph = graph_of(exported, options.format);
  result.operators = onnx_operators(graph);
  OnnxOptions onnx;
  onnx.opset = options.opset;
  onnx.channels = exported.wanted.facts.channels;
  onnx.side = exported.wanted.side;
  onnx.classes = exported.wanted.facts.classes;
  onnx.metadata = {{kPreprocessing, preprocessing}};
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
  const std::string preprocessing = preprocessing_of(exported);
  std::string bytes;
  if (options.format == "torchscript") {
    bytes = torchscript_of(graph_of(exported, options.format), exported.weights,
                           {{kPreprocessing + ".json", preprocessing}});
  } else if (options.format == "onnx") {
    bytes = onnx_bytes(exported, preprocessing, options, result);
  }
  AtomicFile out(result.file);
  if (options.format == "safetensors") {
    // "pt" is what readers of PyTorch's ask for.
    write_safetensors(out, result.file, exported.weights, {{"format", "pt"}, {kPreprocessing, preprocessing}},
                      Checksum::kNone);
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
