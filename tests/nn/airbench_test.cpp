// tests/nn/airbench_test.cpp - whitening against the reference and against what it is for; models_test.cpp
// has the network's logits and gradients against the reference's.
#include "nn/airbench.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "support/models.h"

namespace glidepath {
namespace {

using torch::Tensor;

// tests/data/golden/nn/make_airbench.py: airbench94_muon.py itself.
const TensorMap& golden() {
  static const TensorMap tensors = load_safetensors(GLIDEPATH_TEST_DATA "/nn/airbench.safetensors");
  return tensors;
}

TEST(Airbench, WhitensAsTheReferenceDoes) {
  const Tensor filters = whitening_filters(golden().at("images"), 2), expected = golden().at("whitening");
  ASSERT_EQ(filters.sizes(), torch::IntArrayRef({24, 3, 2, 2}));
  const double error = (filters.narrow(0, 0, 12) - expected).norm().item<double>();
  EXPECT_LT(error, 1e-3 * expected.norm().item<double>());
  EXPECT_TRUE(torch::equal(filters.narrow(0, 12, 12), -filters.narrow(0, 0, 12)));
}

TEST(Airbench, WhitenedPatchesAreUncorrelatedAndOfVarianceOne) {
  at::manual_seed(2);
  const Tensor images = torch::randn({300, 3, 12, 12}).cumsum(2).cumsum(3) / 4;
  const Tensor filters = whitening_filters(images, 2).narrow(0, 0, 12);
  const Tensor white =
      torch::conv2d(images, filters).permute({0, 2, 3, 1}).reshape({-1, 12}).to(torch::kFloat64);
  const Tensor moments = white.t().mm(white) / static_cast<double>(white.size(0));
  const Tensor off = moments - torch::diag(torch::diag(moments));
  EXPECT_LT(off.abs().max().item<double>(), 1e-2);
  // value / (value + eps)
  EXPECT_LT(torch::diag(moments).max().item<double>(), 1 + 1e-3);
  EXPECT_GT(torch::diag(moments).min().item<double>(), 0.95);
}

TEST(Airbench, BeginsWithWhiteningAndTheIdentityAndTrainsTheRest) {
  at::manual_seed(3);
  ModelOptions options;
  options.name = "airbench";
  options.width = 0.5;
  const auto model = make_model(options);
  EXPECT_EQ(model->examples_to_begin_with(), 5000);
  const Tensor images = golden().at("images");
  model->begin_with({images});
  const TensorMap state = state_dict(*model);
  EXPECT_TRUE(torch::equal(state.at("whiten.weight"), whitening_filters(images, 2)));
  const Tensor first = state.at("layers.1.conv1.weight");  // [32, 24, 3, 3], of which 24 are the identity
  Tensor identity = torch::zeros({24, 24, 3, 3});
  for (std::int64_t i = 0; i < 24; ++i) identity.index_put_({i, i, 1, 1}, 1);
  EXPECT_TRUE(torch::equal(first.narrow(0, 0, 24), identity));
  EXPECT_GT(first.narrow(0, 24, 8).abs().min().item<float>(), 0);
  EXPECT_NEAR(state.at("head.weight").std().item<double>(), 1, 1e-5);
  std::vector<std::string> trained;
  for (const auto& item : named_parameters(*model)) trained.push_back(item.first);
  EXPECT_EQ(trained.size(), 1U + 3 * 4 + 1);
  EXPECT_EQ(std::count(trained.begin(), trained.end(), "whiten.weight"), 0);
  EXPECT_EQ(std::count(trained.begin(), trained.end(), "layers.2.norm1.weight"), 0);
}

TEST(Airbench, TakesImagesOfOtherSizesButNotTiniest) {
  ModelOptions options;
  options.name = "airbench";
  options.width = 0.1;
  const auto model = make_model(options);
  const at::NoGradGuard no_grad;
  for (const std::int64_t size : {9, 32, 40}) {
    EXPECT_EQ(outputs_for(*model, torch::rand({2, 3, size, size})).sizes(), torch::IntArrayRef({2, 10}));
  }
  options.image_size = 8;
  try {
    make_model(options);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "model \"airbench\": images of 8x8 are too small; 9x9 is the smallest");
  }
}

}  // namespace
}  // namespace glidepath
