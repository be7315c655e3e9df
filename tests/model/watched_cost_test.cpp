// tests/model/watched_cost_test.cpp - the cost of a forward pass that was watched, against the networks' own
// count, which tests/nn holds against fvcore's.
#include <gtest/gtest.h>
#include <torch/nn/functional/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include "glidepath/model.h"
#include "glidepath/models.h"

namespace glidepath {
namespace {

TEST(WatchedCost, IsTheNetworksOwn) {
  for (const std::string& name : model_names()) {
    if (model_kind(name) == ModelKind::kMasks || model_kind(name) == ModelKind::kTokens) continue;
    ModelOptions options;
    options.name = name;
    options.width = 0.25;
    const auto model = make_model(options);
    const Cost known = model->cost().value();
    const Cost seen = watched_cost(*model, {torch::randn({3, 3, 32, 32})}, 3);
    EXPECT_DOUBLE_EQ(seen.forward, known.forward) << name;
    EXPECT_DOUBLE_EQ(seen.backward, known.backward) << name;
    EXPECT_TRUE(model->is_training());
  }
}

// By hand: outputs x what each is a sum of x 2.
TEST(WatchedCost, CountsGroupsTransposedConvolutionsAndAttention) {
  const auto forward_of = [](auto module, const torch::Tensor& input) {
    return watched_cost(*module_model(module.ptr()), {input}, 1).forward;
  };
  torch::nn::Conv2d grouped(torch::nn::Conv2dOptions(8, 16, 3).padding(1).groups(4));
  EXPECT_EQ(forward_of(grouped, torch::randn({1, 8, 5, 7})), 2.0 * 16 * 35 * (2 * 9));
  torch::nn::ConvTranspose2d up(torch::nn::ConvTranspose2dOptions(6, 4, 2).stride(2));
  EXPECT_EQ(forward_of(up, torch::randn({1, 6, 5, 5})), 2.0 * 6 * 25 * (4 * 4));
  torch::nn::Linear linear(12, 5);
  EXPECT_EQ(forward_of(linear, torch::randn({1, 9, 12})), 2.0 * 9 * 5 * 12);

  struct Attention : torch::nn::Module {
    torch::Tensor forward(const torch::Tensor& x) {
      return torch::matmul(torch::softmax(torch::matmul(x, x.transpose(1, 2)), -1), x);
    }
  };
  const auto model = module_model(std::make_shared<Attention>());
  EXPECT_EQ(watched_cost(*model, {torch::randn({2, 10, 16})}, 2).forward, 2.0 * (10 * 10 * 16) * 2);
}

}  // namespace
}  // namespace glidepath
