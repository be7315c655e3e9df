// tests/nn/kernels/batch_norm_relu_test.cpp - the fused norm against torch's own operators, forward,
// backward, statistics.
#include "nn/kernels/batch_norm_relu.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/nn/modules/batchnorm.h>

#include "glidepath/error.h"
#include "nn/kernels/gelu.h"

namespace glidepath {
namespace {

using torch::Tensor;

struct Case {
  torch::ScalarType dtype;
  std::int64_t channels;
  bool residual, relu;
};

float relative_error(const Tensor& ours, const Tensor& theirs) {
  return ((ours.to(torch::kFloat32) - theirs).abs().max() / (theirs.abs().max() + 1e-6)).item<float>();
}

class BatchNormReluTest : public testing::TestWithParam<Case> {
 protected:
  static Tensor picture(const Case& c) {
    return (torch::randn({5, c.channels, 7, 6}) * 2 + 0.5)
        .to(c.dtype)
        .contiguous(torch::MemoryFormat::ChannelsLast);
  }
};

TEST_P(BatchNormReluTest, EqualsTorchsOperators) {
  const Case c = GetParam();
  at::manual_seed(c.channels);
  const Tensor x = picture(c), residual = picture(c), gradient = picture(c);
  torch::nn::BatchNorm2d ours(c.channels), theirs(c.channels);
  {
    at::NoGradGuard no_grad;
    ours->weight.normal_();
    ours->bias.normal_();
    theirs->weight.copy_(ours->weight);
    theirs->bias.copy_(ours->bias);
  }
  const Tensor x1 = x.clone().requires_grad_(), r1 = residual.clone().requires_grad_();
  const Tensor x2 = x.to(torch::kFloat32).requires_grad_(),
               r2 = residual.to(torch::kFloat32).requires_grad_();
  const Tensor y1 = batch_norm_relu(ours, x1, c.residual ? r1 : Tensor(), c.relu);
  Tensor y2 = theirs(x2);
  if (c.residual) y2 = y2 + r2;
  if (c.relu) y2 = y2.relu();
  y1.backward(gradient);
  y2.backward(gradient.to(torch::kFloat32));

  const float rounding = c.dtype == torch::kBFloat16 ? 1.0F / 256 : 2e-6F;
  EXPECT_LT(relative_error(y1, y2), rounding);
  EXPECT_LT(relative_error(x1.grad(), x2.grad()), rounding);
  EXPECT_LT(relative_error(ours->weight.grad(), theirs->weight.grad()), 5e-6F);
  EXPECT_LT(relative_error(ours->bias.grad(), theirs->bias.grad()), 5e-6F);
  EXPECT_LT(relative_error(ours->running_mean, theirs->running_mean), 2e-6F);
  EXPECT_LT(relative_error(ours->running_var, theirs->running_var), 2e-6F);
  EXPECT_EQ(ours->num_batches_tracked.item<std::int64_t>(), 1);
  if (c.residual) {
    EXPECT_LT(relative_error(r1.grad(), r2.grad()), rounding);
  }

  ours->eval();
  theirs->eval();
  at::NoGradGuard no_grad;
  Tensor e2 = theirs(x2);
  if (c.residual) e2 = e2 + r2;
  if (c.relu) e2 = e2.relu();
  EXPECT_LT(relative_error(batch_norm_relu(ours, x, c.residual ? residual : Tensor(), c.relu), e2), rounding);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const std::int64_t channels : {1, 3, 8, 16, 24, 64, 96}) {
      for (const bool residual : {false, true}) {
        for (const bool relu : {false, true}) cases.push_back({dtype, channels, residual, relu});
      }
    }
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(All, BatchNormReluTest, testing::ValuesIn(all_cases()));

TEST(BatchNormRelu, SameBitsWhateverTheThreads) {
  at::manual_seed(1);
  const Tensor x = torch::randn({16, 16, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  const int threads = at::get_num_threads();
  std::vector<Tensor> outputs;
  for (const int count : {1, 2, 3}) {
    at::set_num_threads(count);
    torch::nn::BatchNorm2d norm(16);
    outputs.push_back(batch_norm_relu(norm, x));
  }
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(outputs[0], outputs[1]));
  EXPECT_TRUE(torch::equal(outputs[0], outputs[2]));
}

// The plain formula E[x^2] - E[x]^2 in float has no right digit here. Expected: torch in double.
TEST(BatchNormRelu, ALargeMeanCostsNoDigitsOfTheVariance) {
  at::manual_seed(4);
  const Tensor x =
      (torch::randn({32, 16, 16, 16}) * 0.01 + 100).contiguous(torch::MemoryFormat::ChannelsLast);
  torch::nn::BatchNorm2d ours(16), theirs(16);
  theirs->to(torch::kFloat64);
  const Tensor y = batch_norm_relu(ours, x, {}, /*relu=*/false), expected = theirs(x.to(torch::kFloat64));
  EXPECT_LT(relative_error(ours->running_var - 0.9, (theirs->running_var - 0.9).to(torch::kFloat32)), 0.02F);
  EXPECT_LT(relative_error(y, expected.to(torch::kFloat32)),
            1e-3F);  // float has 7e-6 at 100, a 1e-3rd of 0.01
}

// Central differences of the fallback in double; the fused kernels are compared with torch's above.
TEST(BatchNormRelu, GradientsEqualDifferences) {
  at::manual_seed(5);
  const auto options = torch::dtype(torch::kFloat64);
  const Tensor x = torch::randn({3, 2, 2, 2}, options).requires_grad_(),
               residual = torch::randn({3, 2, 2, 2}, options);
  const Tensor upstream = torch::randn({3, 2, 2, 2}, options);
  const auto loss = [&](const Tensor& input) {
    torch::nn::BatchNorm2d norm(2);
    norm->to(torch::kFloat64);
    return (batch_norm_relu(norm, input, residual) * upstream).sum();
  };
  loss(x).backward();
  const at::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    Tensor above = x.detach().clone(), below = x.detach().clone();
    above.view(-1)[i] += kStep;
    below.view(-1)[i] -= kStep;
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), (loss(above) - loss(below)).item<double>() / (2 * kStep),
                1e-7);
  }
}

TEST(BatchNormRelu, ChannelsLastIsFusedAndItsSecondDerivativeRefused) {
  const Tensor x = torch::randn({2, 8, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
  torch::nn::BatchNorm2d norm(8);
  const Tensor y = batch_norm_relu(norm, x);
  ASSERT_THAT(y.grad_fn()->name(), testing::HasSubstr("BatchNormRelu"));
  EXPECT_THROW(torch::autograd::grad({y.sum()}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true),
               RunError);
}

// More channels than a tile holds, and one value a channel, go to torch's operators; the latter refuse it.
TEST(BatchNormRelu, WhatTheKernelsDoNotTakeGoesToTorchsOperators) {
  at::manual_seed(6);
  const Tensor x = torch::randn({2, 67, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast);
  torch::nn::BatchNorm2d a(67), b(67);
  EXPECT_TRUE(torch::allclose(batch_norm_relu(a, x), b(x).relu(), 1e-6, 1e-6));
}

TEST(BatchNormRelu, ContiguousInputGoesToTorchsOperators) {
  at::manual_seed(2);
  const Tensor x = torch::randn({4, 8, 5, 5});
  torch::nn::BatchNorm2d a(8), b(8);
  EXPECT_TRUE(torch::allclose(batch_norm_relu(a, x), b(x).relu(), 1e-6, 1e-6));
}

TEST(BatchNormRelu, NotANumberIsNotHidden) {
  Tensor x = torch::randn({2, 8, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast);
  x[0][3][0][0] = std::nan("");
  torch::nn::BatchNorm2d norm(8);
  EXPECT_TRUE(batch_norm_relu(norm, x).isnan().any().item<bool>());
}

// The variance of one value is 0: what is left is the bias. torch's module refuses such a batch.
TEST(BatchNormRelu, OfOneValueAChannelIsTheBias) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      torch::nn::BatchNorm2d norm(3);
      const Tensor bias = torch::tensor({-0.5F, 0.25F, 1.F});
      {
        at::NoGradGuard no_grad;
        norm->weight.fill_(2);
        norm->bias.copy_(bias);
        norm->running_mean.fill_(0.75);
        norm->running_var.fill_(3);
      }
      const auto made = [&](float first) {
        return torch::tensor({first, -7.F, 100.F}).view({1, 3, 1, 1}).to(dtype).contiguous(format);
      };
      const Tensor x = made(4).requires_grad_(), residual = made(1).requires_grad_();
      const Tensor y = batch_norm_relu(norm, x, residual);
      EXPECT_EQ(y.scalar_type(), dtype);
      EXPECT_TRUE(torch::equal(y.to(torch::kFloat32).flatten(), torch::tensor({0.5F, 0.F, 101.F}))) << y;
      y.sum().backward();
      EXPECT_TRUE(torch::equal(x.grad(), torch::zeros_like(x))) << x.grad();
      EXPECT_TRUE(torch::equal(norm->weight.grad(), torch::zeros({3})));
      EXPECT_TRUE(torch::equal(norm->bias.grad(), torch::tensor({1.F, 0.F, 1.F})));  // cut off by the ReLU
      EXPECT_TRUE(torch::equal(norm->running_mean, torch::full({3}, 0.75F)));
      EXPECT_TRUE(torch::equal(norm->running_var, torch::full({3}, 3.F)));
      EXPECT_EQ(norm->num_batches_tracked.item<std::int64_t>(), 0);
    }
  }
}

/// y, dx, dweight, dbias and the running statistics, of the norm and GELU together or in turn.
std::vector<Tensor> with_gelu(const Tensor& x, const Tensor& gradient, bool together, bool training = true) {
  const std::int64_t channels = x.size(1);
  torch::nn::BatchNorm2d norm(channels);
  norm->train(training);
  {
    const at::NoGradGuard no_grad;
    norm->weight.copy_(torch::linspace(0.5, 2, channels));
    norm->bias.copy_(torch::linspace(-1, 1, channels));
  }
  const Tensor input = x.clone().requires_grad_();
  const Tensor y = together ? batch_norm_gelu(norm, input)
                            : glidepath::gelu(batch_norm_relu(norm, input, {}, /*relu=*/false));
  y.backward(gradient);
  return {y, input.grad(), norm->weight.grad(), norm->bias.grad(), norm->running_mean, norm->running_var};
}

TEST(BatchNormGelu, IsTheNormAndGeluInTurnToTheBit) {
  const int before = at::get_num_threads();
  for (const auto kind : {torch::kFloat32, torch::kBFloat16}) {
    for (const auto& sizes : std::vector<std::vector<std::int64_t>>{
             {40, 64, 8, 8}, {5, 24, 7, 6}, {3, 13, 5, 5}, {30, 3, 31, 31}, {1, 8, 1, 1}, {2, 640, 3, 3}}) {
      SCOPED_TRACE(testing::Message() << torch::toString(kind) << " " << sizes[1] << " at " << sizes[2]);
      at::manual_seed(sizes[1]);
      const auto last = torch::MemoryFormat::ChannelsLast;
      const Tensor x = (torch::randn(sizes) * 2 + 0.5).to(kind).contiguous(last);
      const Tensor gradient = torch::randn(sizes).to(kind).contiguous(last);
      at::set_num_threads(1);
      const auto in_turn = with_gelu(x, gradient, false);
      for (const int threads : {1, 3}) {
        at::set_num_threads(threads);
        const auto together = with_gelu(x, gradient, true);
        for (std::size_t i = 0; i < in_turn.size(); ++i) EXPECT_TRUE(together[i].equal(in_turn[i])) << i;
      }
      const auto tested = with_gelu(x, gradient, true, /*training=*/false);
      EXPECT_TRUE(tested[0].equal(with_gelu(x, gradient, false, /*training=*/false)[0]));
    }
  }
  at::set_num_threads(before);
}

TEST(BatchNormGelu, InTestsItIsTheOperatorsInTurn) {
  torch::nn::BatchNorm2d norm(16);
  norm->eval();
  const at::NoGradGuard no_grad;
  norm->running_mean.normal_();
  norm->running_var.uniform_(0.5, 2);
  const Tensor x = torch::randn({3, 16, 9, 9}).contiguous(torch::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(batch_norm_gelu(norm, x).equal(glidepath::gelu(batch_norm_relu(norm, x, {}, false))));
}

}  // namespace
}  // namespace glidepath
