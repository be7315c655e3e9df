// tests/nn/unet_gpt_test.cpp - the networks that do not give one row of logits for an image, against
// PyTorch's.
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>

#include "glidepath/error.h"
#include "glidepath/models.h"
#include "glidepath/safetensors.h"
#include "support/models.h"

namespace glidepath {
namespace {

using torch::Tensor;

void expect_near(const Tensor& ours, const Tensor& theirs, const std::string& what) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double scale = 1 + theirs.abs().max().to(torch::kFloat64).item<double>();
  EXPECT_LE((ours.to(torch::kFloat64) - theirs.to(torch::kFloat64)).abs().max().item<double>(), 1e-5 * scale)
      << what;
}

/// unet or gpt with the weights of a file that PyTorch made (tests/data/golden/nn/make_unet_gpt.py).
struct Golden {
  explicit Golden(const std::string& name)
      : tensors(load_safetensors(fmt::format("{}/nn/{}.safetensors", GLIDEPATH_TEST_DATA, name), &metadata)) {
    ModelOptions options;
    options.name = name;
    options.width = std::stod(metadata.at("width"));
    options.classes = std::stoll(metadata.at("classes"));
    options.in_channels = std::stoll(metadata.at("in_channels"));
    options.image_height = std::stoll(metadata.at("image_height"));
    options.image_size = std::stoll(metadata.at("image_size"));
    options.context = std::stoll(metadata.at("context"));
    model = make_model(options);
    load_state_dict(*model, part("before."));
  }
  TensorMap part(const std::string& prefix) const {
    TensorMap found;
    for (const auto& [name, tensor] : tensors) {
      if (name.rfind(prefix, 0) == 0) found[name.substr(prefix.size())] = tensor;
    }
    return found;
  }

  std::map<std::string, std::string> metadata;
  TensorMap tensors;
  std::shared_ptr<Model> model;
};

class UnetAndGpt : public testing::TestWithParam<std::tuple<const char*, bool>> {};

TEST_P(UnetAndGpt, OutputsGradientsAndBuffersEqualPyTorchs) {
  const auto [name, channels_last] = GetParam();
  const Golden golden(name);
  Tensor inputs = golden.tensors.at("inputs");
  if (channels_last && inputs.dim() == 4) inputs = inputs.contiguous(torch::MemoryFormat::ChannelsLast);
  golden.model->train(false);
  {
    const at::NoGradGuard no_grad;
    expect_near(outputs_for(*golden.model, inputs), golden.tensors.at("eval_outputs"), "eval outputs");
  }
  golden.model->train();
  const Tensor outputs = outputs_for(*golden.model, inputs);
  expect_near(outputs, golden.tensors.at("train_outputs"), "train outputs");
  const Tensor classes_second = outputs.dim() == 4 ? outputs : outputs.transpose(1, 2);
  torch::nn::functional::cross_entropy(classes_second, golden.tensors.at("targets")).backward();
  const TensorMap gradients = golden.part("gradient.");
  EXPECT_EQ(gradients.size(), named_parameters(*golden.model).size());
  for (const auto& [key, expected] : gradients)
    expect_near(tensor_named(golden.model->named_parameters(), key).grad(), expected, "gradient of " + key);
  for (const auto& [key, expected] : golden.part("after."))
    expect_near(tensor_named(golden.model->named_buffers(), key), expected, key);
}
INSTANTIATE_TEST_SUITE_P(PyTorch, UnetAndGpt,
                         testing::Combine(testing::Values("unet", "gpt"), testing::Bool()));

/// Of the norms, which PyTorch's counter leaves out: 2 an element, and twice that backward.
double norms_of_unet(double base, double area) {
  double sum = 2 * base * area;
  for (int level = 1; level <= 4; ++level) {
    const double there = area / (1 << (2 * level));
    sum += 2 * base * (1 << level) * there + 2 * base * (1 << (level - 1)) * there * 4;
  }
  return 2 * sum;
}

TEST(UnetAndGptCost, IsWhatPyTorchsFlopCounterCountsAndTheNorms) {
  for (const std::string name : {"unet", "gpt"}) {
    const Golden golden(name);
    const double norms = name == "unet" ? norms_of_unet(2, 32 * 48) : 10 * 2 * 16 * 9;
    EXPECT_EQ(golden.model->cost()->forward - norms, std::stod(golden.metadata.at("forward"))) << name;
    EXPECT_EQ(golden.model->cost()->both() - 3 * norms, std::stod(golden.metadata.at("both"))) << name;
  }
}

// nanoGPT: weights from N(0, 0.02), those that end a branch from N(0, 0.02 / sqrt(2 layers)).
TEST(Gpt, BeginsAsNanoGptDoesAndSeesNoFuture) {
  at::manual_seed(3);
  ModelOptions options;
  options.name = "gpt";
  options.classes = 65;
  options.context = 16;
  const auto model = make_model(options);
  const TensorMap state = state_dict(*model);
  EXPECT_EQ(state.at("transformer.wte.weight").sizes(), (std::vector<std::int64_t>{65, 128}));
  EXPECT_NEAR(state.at("transformer.h.3.attn.c_attn.weight").std().item<double>(), 0.02, 5e-4);
  EXPECT_NEAR(state.at("transformer.h.3.mlp.c_proj.weight").std().item<double>(), 0.02 / std::sqrt(8.0),
              2e-4);
  EXPECT_EQ(state.at("transformer.ln_f.weight").min().item<double>(), 1);
  const at::NoGradGuard no_grad;
  const Tensor tokens = torch::randint(65, {2, 16}, torch::kInt64);
  Tensor changed = tokens.clone();
  changed.select(1, 9).fill_(7);
  changed.select(1, 15).fill_(8);
  const Tensor before = outputs_for(*model, tokens), after = outputs_for(*model, changed);
  EXPECT_TRUE(torch::equal(before.narrow(1, 0, 9), after.narrow(1, 0, 9)));
  EXPECT_FALSE(torch::equal(before.select(1, 12), after.select(1, 12)));
  EXPECT_TRUE(
      torch::allclose(outputs_for(*model, tokens.narrow(1, 0, 5)), before.narrow(1, 0, 5), 1e-4, 1e-5));
  EXPECT_THROW(outputs_for(*model, torch::zeros({1, 17}, torch::kInt64)), InputError);
  options.context = 0;
  EXPECT_THROW(make_model(options), InputError);
}

TEST(Unet, TakesImagesOfEverySize) {
  ModelOptions options;
  options.name = "unet";
  options.width = 0.05;
  options.classes = 3;
  const auto model = make_model(options);
  for (const auto& [height, width] : {std::pair<int, int>{1, 1}, {16, 16}, {17, 40}})
    EXPECT_EQ(outputs_for(*model, torch::randn({2, 3, height, width})).sizes(),
              (std::vector<std::int64_t>{2, 3, height, width}));
}

TEST(ModelKinds, EveryNameHasOne) {
  EXPECT_EQ(model_kind("resnet18"), ModelKind::kImages);
  EXPECT_EQ(model_kind("mlp"), ModelKind::kNumbers);
  EXPECT_EQ(model_kind("unet"), ModelKind::kMasks);
  EXPECT_EQ(model_kind("gpt"), ModelKind::kTokens);
  EXPECT_THROW(model_kind("resnet17"), InputError);
}

}  // namespace
}  // namespace glidepath
