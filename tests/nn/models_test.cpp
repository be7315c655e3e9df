// tests/nn/models_test.cpp - our networks against torchvision's: names, shapes, logits, gradients, costs.
#include "glidepath/models.h"

#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"

namespace glidepath {
namespace {

using torch::Tensor;

ModelOptions imagenet_options(const std::string& name) {
  ModelOptions options;
  options.name = name;
  options.classes = 1000;
  options.image_size = 224;
  return options;
}

std::string shape_text(const Tensor& tensor) {
  std::string text;
  for (const auto extent : tensor.sizes()) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

std::map<std::string, Tensor> state_of(Model& model) {
  std::map<std::string, Tensor> state;
  for (const auto& item : model.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : model.named_buffers()) state[item.key()] = item.value();
  return state;
}

TEST(Models, NamesAndShapesEqualTorchvisions) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/nn/names.txt");
  std::map<std::string, std::map<std::string, std::string>> expected;
  for (std::string network, name, shape; file >> network >> name >> shape;) expected[network][name] = shape;
  ASSERT_EQ(expected.size(), 3U);
  for (const auto& [network, entries] : expected) {
    const auto model = make_model(imagenet_options(network));
    const auto state = state_of(*model);
    EXPECT_EQ(state.size(), entries.size()) << network;
    for (const auto& [name, shape] : entries) {
      ASSERT_TRUE(state.count(name)) << network << " " << name;
      EXPECT_EQ(shape_text(state.at(name)), shape) << network << " " << name;
    }
  }
}

class NarrowTest : public testing::TestWithParam<const char*> {};

// In both memory formats: one goes through the fused norm, one through torch's operators.
TEST_P(NarrowTest, LogitsAndGradientsEqualTorchvisions) {
  const TensorMap golden =
      load_safetensors(std::string(GLIDEPATH_TEST_DATA "/nn/narrow-") + GetParam() + ".safetensors");
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    ModelOptions options = imagenet_options(GetParam());
    options.width = 1.0 / 16;
    options.classes = 7;
    options.image_size = 64;
    options.stem = "imagenet";
    const auto model = make_model(options);
    {
      torch::NoGradGuard no_grad;
      for (auto& [name, tensor] : state_of(*model)) tensor.copy_(golden.at("model." + name));
    }
    const Tensor images = golden.at("images").contiguous(format);
    model->train();
    const Tensor logits = model->forward(images);
    EXPECT_TRUE(torch::allclose(logits, golden.at("train_logits"), 1e-4, 1e-5));
    logits.square().sum().backward();
    const auto state = state_of(*model);
    const Tensor expected = golden.at("conv1_gradient");
    EXPECT_LT((state.at("conv1.weight").grad() - expected).abs().max().item<float>(),
              2e-4F * expected.abs().max().item<float>());
    EXPECT_TRUE(
        torch::allclose(state.at("layer4.0.bn2.running_var"), golden.at("running_var_after"), 1e-4, 1e-6));
    model->eval();
    torch::NoGradGuard no_grad;
    EXPECT_TRUE(torch::allclose(model->forward(images), golden.at("eval_logits"), 1e-4, 1e-4));
  }
}
INSTANTIATE_TEST_SUITE_P(Torchvision, NarrowTest, testing::Values("resnet18", "resnet50"));

// Multiply-adds as torchvision's documentation gives them ("GFLOPS" there): 1.81, 3.66, 4.09 at 224 pixels.
TEST(Models, CostsAreThoseThatTorchvisionDocuments) {
  EXPECT_NEAR(make_model(imagenet_options("resnet18"))->forward_flops() / 2e9, 1.81, 0.02);
  EXPECT_NEAR(make_model(imagenet_options("resnet34"))->forward_flops() / 2e9, 3.66, 0.02);
  EXPECT_NEAR(make_model(imagenet_options("resnet50"))->forward_flops() / 2e9, 4.09, 0.04);
}

// He et al., table 6: 0.27, 0.46 and 0.85 million parameters (theirs have no shortcut convolutions).
TEST(Models, CifarFamilyHasThePapersSizes) {
  const std::map<std::string, double> sizes{{"resnet20", 0.27}, {"resnet32", 0.46}, {"resnet56", 0.85}};
  for (const auto& [name, millions] : sizes) {
    ModelOptions options;
    options.name = name;
    double count = 0;
    for (const auto& parameter : make_model(options)->parameters())
      count += static_cast<double>(parameter.numel());
    EXPECT_NEAR(count / 1e6, millions, 0.01) << name;
  }
}

TEST(Models, EveryModelTakesItsImagesAndGivesLogits) {
  for (const std::string& name : model_names()) {
    for (const double width : {0.25, 1.0}) {
      ModelOptions options;
      options.name = name;
      options.width = width;
      options.classes = 5;
      const auto model = make_model(options);
      EXPECT_EQ(model->forward(torch::randn({2, 3, 32, 32})).sizes(), (std::vector<std::int64_t>{2, 5}))
          << name;
      EXPECT_GT(model->forward_flops(), 0) << name;
    }
  }
}

TEST(Models, StemFollowsTheImageSizeUnlessNamed) {
  ModelOptions options;
  const auto kernel = [&] { return state_of(*make_model(options)).at("conv1.weight").size(2); };
  EXPECT_EQ(kernel(), 3);
  options.image_size = 224;
  EXPECT_EQ(kernel(), 7);
  options.stem = "cifar";
  EXPECT_EQ(kernel(), 3);
}

TEST(Models, WrongOptionsAreNamed) {
  const auto message_of = [](const ModelOptions& options) -> std::string {
    try {
      make_model(options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  ModelOptions options;
  options.name = "resnet17";
  EXPECT_EQ(message_of(options),
            "model \"resnet17\": must be one of resnet18, resnet34, resnet50, resnet8, resnet20, "
            "resnet32, resnet56, convnet, mlp");
  options = {};
  options.width = 0;
  EXPECT_EQ(message_of(options), "width \"0\": must be a number in (0, 64]");
  options = {};
  options.stem = "none";
  EXPECT_EQ(message_of(options), "stem \"none\": must be one of auto, cifar, imagenet");
}

}  // namespace
}  // namespace glidepath
