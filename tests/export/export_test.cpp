// tests/export/export_test.cpp - exported networks against the networks: TorchScript by LibTorch, ONNX by
// onnxruntime.
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/types.h>

#include "export/onnx.h"
#include "export/protobuf.h"
#include "export/torchscript.h"
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

/// A network whose norms have seen something, in evaluation mode.
std::shared_ptr<Network> network_of(const ModelOptions& options) {
  at::manual_seed(3);
  auto network = make_network(options);
  const at::NoGradGuard no_grad;
  for (auto& item : network->named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(0.1 * torch::rand_like(item.value()));
  }
  const std::int64_t side = options.image_size;
  for (int i = 0; i < 2; ++i) network->forward(torch::rand({16, options.in_channels, side, side}));
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
  for (const std::string& name : model_names()) {
    if (name != "unet" && name != "gpt") list.push_back(options_of(name));  // of images into classes alone
  }
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
      const torch::Tensor x =
          torch::rand({images, options.in_channels, options.image_size, options.image_size});
      EXPECT_LE(difference(loaded.forward({x}).toTensor(), network->forward(x)), 1e-5);
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
    images = numpy.fromfile(file.with_suffix(".in"), "float32").reshape([-1] + session.get_inputs()[0].shape[1:])
    for some in (images, images[:1]):
        logits = session.run(["logits"], {"images": some})[0]
        expected = numpy.fromfile(file.with_suffix(".out"), "float32").reshape(len(images), -1)[:len(some)]
        worst = abs(logits - expected).max() / max(1, abs(expected).max())
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
    onnx.channels = options.in_channels;
    onnx.side = options.image_size;
    onnx.classes = options.classes;
    onnx.metadata = {{"about", "{}"}};
    const auto file = folder.path() / (std::to_string(number++) + ".onnx");
    write_bytes(file, onnx_of(*network->graph(), weights_of(*network), onnx));
    const torch::Tensor x = torch::rand({3, onnx.channels, onnx.side, onnx.side});
    const torch::Tensor logits = network->forward(x).contiguous();
    const auto bytes = [](const torch::Tensor& tensor) {
      return std::string(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
    };
    write_bytes(std::filesystem::path(file).replace_extension(".in"), bytes(x));
    write_bytes(std::filesystem::path(file).replace_extension(".out"), bytes(logits));
  }
  const PythonResult found = run_python(folder.path(), kRunThem);
  EXPECT_EQ(found.status, 0) << found.output;
  EXPECT_THAT(found.output, testing::HasSubstr("all " + std::to_string(number)));
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
