// tests/export/export_test.cpp - exported networks against the networks: TorchScript by LibTorch, ONNX by
// onnxruntime.
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/types.h>

#include "export/onnx.h"
#include "export/protobuf.h"
#include "export/torchscript.h"
#include "glidepath/error.h"
#include "glidepath/model_options.h"
#include "nn/network.h"
#include "support/python.h"
#include "support/temporary_folder.h"

namespace glidepath {
namespace {

ModelOptions options_of(const std::string& name) {
  ModelOptions options;
  options.name = name;
  options.width = 0.25;
  options.classes = 7;
  return options;
}

bool is_of_tokens(const ModelOptions& options) { return options.name == "gpt"; }

/// Of the side, or the length, that the network is made for; or another one where it takes that.
torch::Tensor input_of(const ModelOptions& options, std::int64_t count, bool other_size = false) {
  if (is_of_tokens(options)) {
    return torch::randint(options.classes, {count, other_size ? 5 : options.context}, torch::kInt64);
  }
  const std::int64_t side = options.image_size;
  if (other_size && options.name == "unet") return torch::rand({count, options.in_channels, 37, 50});
  return torch::rand({count, options.in_channels, side, side});
}

NetworkForm form_of(const ModelOptions& options) {
  if (is_of_tokens(options)) return {"tokens", {"batch", "tokens"}, {"batch", "tokens", options.classes}};
  if (options.name == "unet") {
    return {"images",
            {"batch", options.in_channels, "height", "width"},
            {"batch", options.classes, "height", "width"}};
  }
  return {"images",
          {"batch", options.in_channels, options.image_size, options.image_size},
          {"batch", options.classes}};
}

/// A network whose norms have seen something, in evaluation mode.
std::shared_ptr<Network> network_of(const ModelOptions& options) {
  at::manual_seed(3);
  auto network = make_network(options);
  const at::NoGradGuard no_grad;
  for (auto& item : network->named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(0.1 * torch::rand_like(item.value()));
  }
  for (int i = 0; i < 2; ++i) network->forward(input_of(options, 16));
  network->eval();
  return network;
}

TensorMap weights_of(const Network& network) {
  TensorMap weights;
  for (const auto& item : network.named_parameters()) weights[item.key()] = item.value().detach();
  for (const auto& item : network.named_buffers()) weights[item.key()] = item.value();
  return weights;
}

std::vector<ModelOptions> exported_networks() {
  std::vector<ModelOptions> list;
  for (const std::string& name : model_names()) list.push_back(options_of(name));
  list.push_back(options_of("resnet18"));
  list.back().stem = "imagenet";
  list.back().image_size = 48;
  list.push_back(options_of("convnet"));
  list.back().in_channels = 1;
  list.back().image_size = 30;
  return list;
}

double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / std::max(1.0, b.abs().max().item<double>());
}

TEST(TorchScript, HasTheNetworksLogitsForAnyNumberOfImages) {
  const at::NoGradGuard no_grad;
  for (const ModelOptions& options : exported_networks()) {
    SCOPED_TRACE(options.name + " " + options.stem);
    const auto network = network_of(options);
    const TensorMap weights = weights_of(*network);
    std::istringstream archive(torchscript_of(*network->graph(), weights, {{"about.json", "{}"}}));
    torch::jit::ExtraFilesMap extra = {{"about.json", ""}};
    torch::jit::Module loaded = torch::jit::load(archive, {}, extra);
    EXPECT_EQ(extra.at("about.json"), "{}");
    EXPECT_FALSE(loaded.is_training());
    for (const std::int64_t images : {1, 5}) {
      const torch::Tensor x = input_of(options, images, /*other_size=*/images == 5);
      const torch::Tensor logits = loaded.forward({x}).toTensor(), expected = network->forward(x);
      ASSERT_EQ(logits.sizes(), expected.sizes());
      EXPECT_LE(difference(logits, expected), 1e-5);
    }
    std::size_t found = 0;
    for (const auto& parameter : loaded.named_parameters()) {
      EXPECT_TRUE(parameter.value.equal(weights.at(parameter.name))) << parameter.name;
      ++found;
    }
    EXPECT_EQ(found, network->parameters().size());
    for (const auto& buffer : loaded.named_buffers())
      EXPECT_TRUE(buffer.value.equal(weights.at(buffer.name))) << buffer.name;
  }
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

// The files lie in the script's folder.
constexpr const char* kRunThem = R"(
import pathlib, numpy, onnxruntime
folder = pathlib.Path(__file__).parent
try:
    import onnx
except ImportError:
    onnx = None
for file in sorted(folder.glob("*.onnx")):
    if onnx:
        onnx.checker.check_model(onnx.load(file), full_check=True)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {"about": "{}"}
    assert session.get_inputs()[0].shape[0] == "batch" and session.get_outputs()[0].shape[0] == "batch"
    given = session.get_inputs()[0]
    cases = sorted(folder.glob(file.stem + "-*.in"))
    assert len(cases) == 2
    for case in cases:
        kind = "int64" if given.name == "tokens" else "float32"
        shape = [int(size) for size in case.with_suffix(".shape").read_text().split()]
        inputs = numpy.fromfile(case, kind).reshape(shape)
        expected = numpy.fromfile(case.with_suffix(".out"), "float32")
        logits = session.run(["logits"], {given.name: inputs})[0]
        assert logits.size == expected.size, (file.name, logits.shape)
        worst = abs(logits.ravel() - expected).max() / max(1, abs(expected).max())
        assert worst < 1e-4, (file.name, worst)
print("all", len(list(folder.glob("*.onnx"))))
)";

TEST(Onnx, HasTheNetworksLogitsInOnnxruntime) {
  GLIDEPATH_NEED_PYTHON("onnxruntime");
  const TemporaryFolder folder("onnx");
  const at::NoGradGuard no_grad;
  int number = 0;
  for (const ModelOptions& options : exported_networks()) {
    const auto network = network_of(options);
    OnnxOptions onnx;
    // Every version that is written, once.
    onnx.opset = kOldestOpset + number % (kNewestOpset - kOldestOpset + 1);
    if (is_of_tokens(options)) onnx.opset = 17;
    onnx.form = form_of(options);
    onnx.metadata = {{"about", "{}"}};
    const auto file = folder.path() / std::to_string(number++);
    write_bytes(file.string() + ".onnx", onnx_of(*network->graph(), weights_of(*network), onnx));
    const auto bytes = [](const torch::Tensor& tensor) {
      return std::string(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
    };
    for (const std::int64_t count : {1, 3}) {
      const torch::Tensor x = input_of(options, count, /*other_size=*/count == 3);
      const std::string one = fmt::format("{}-{}", file.string(), count);
      write_bytes(one + ".in", bytes(x));
      write_bytes(one + ".shape", fmt::format("{}", fmt::join(x.sizes(), " ")));
      write_bytes(one + ".out", bytes(network->forward(x).contiguous()));
    }
  }
  const PythonResult found = run_python(folder.path(), kRunThem);
  EXPECT_EQ(found.status, 0) << found.output;
  EXPECT_THAT(found.output, testing::HasSubstr("all " + std::to_string(number)));
}

TEST(Onnx, RefusesAnOpsetThatIsOlderThanAnOperator) {
  const ModelOptions options = options_of("gpt");
  const auto network = network_of(options);
  OnnxOptions onnx;
  onnx.opset = 16;
  onnx.form = form_of(options);
  EXPECT_THROW(onnx_of(*network->graph(), weights_of(*network), onnx), InputError);
}

TEST(Onnx, TellsItsOperators) {
  EXPECT_THAT(onnx_operators(*network_of(options_of("mlp"))->graph()),
              testing::ElementsAre("Flatten", "Gemm", "Relu"));
  EXPECT_THAT(onnx_operators(*network_of(options_of("resnet8"))->graph()),
              testing::ElementsAre("Add", "BatchNormalization", "Conv", "Flatten", "Gemm",
                                   "GlobalAveragePool", "Relu"));
}

// The examples of the documentation of the wire format.
TEST(Protobuf, WritesTheWireFormat) {
  ProtobufMessage inner, outer;
  inner.integer(1, 150);
  EXPECT_EQ(inner.bytes(), std::string("\x08\x96\x01", 3));
  outer.message(3, inner);
  outer.text(2, "testing");
  EXPECT_EQ(outer.bytes(), std::string("\x1a\x03\x08\x96\x01\x12\x07testing", 14));
  ProtobufMessage number;
  number.number(1, 1.0F);
  EXPECT_EQ(number.bytes(), std::string("\x0d\x00\x00\x80\x3f", 5));
}

}  // namespace
}  // namespace glidepath
