// tests/nn/kernels/gelu_test.cpp - GELU and its gradient against LibTorch's in float64.
#include "nn/kernels/gelu.h"

#include <limits>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "glidepath/error.h"
#include "support/gradients.h"

namespace glidepath {
namespace {

using torch::Tensor;

TEST(Gelu, ValuesAndGradientsAreTheLibrarysInFloat64) {
  const Tensor x = torch::cat({torch::linspace(-12, 12, 100'001), torch::linspace(-0.01, 0.01, 1001),
                               torch::tensor({-1e4F, -90.0F, 90.0F, 1e4F})})
                       .requires_grad_();
  const Tensor exact = x.detach().to(torch::kFloat64).requires_grad_(), dy = torch::randn_like(x);
  const Tensor ours = glidepath::gelu(x), right = torch::gelu(exact);
  const Tensor scale = exact.detach().abs().clamp_min(1);
  EXPECT_LT(((ours - right) / scale).abs().max().item<double>(), 3e-7);
  const Tensor found = gradient_of(ours, x, dy), wanted = gradient_of(right, exact, dy.to(torch::kFloat64));
  EXPECT_LT(((found - wanted) / dy.abs().clamp_min(1)).abs().max().item<double>(), 1e-6);
}

TEST(Gelu, Bf16IsFloat32Rounded) {
  const Tensor x =
      (3 * torch::randn({4, 24, 7, 5})).to(torch::kBFloat16).contiguous(torch::MemoryFormat::ChannelsLast);
  const Tensor a = x.clone().requires_grad_(), b = x.to(torch::kFloat32).requires_grad_();
  const Tensor ours = glidepath::gelu(a), right = glidepath::gelu(b);
  EXPECT_TRUE(ours.equal(right.to(torch::kBFloat16)));
  EXPECT_EQ(ours.strides(), x.strides());
  const Tensor dy = torch::randn({4, 24, 7, 5}).to(torch::kBFloat16);  // in the other memory format
  EXPECT_TRUE(
      gradient_of(ours, a, dy).equal(gradient_of(right, b, dy.to(torch::kFloat32)).to(torch::kBFloat16)));
}

TEST(Gelu, WhatIsNotANumberStaysSo) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  const Tensor y = glidepath::gelu(torch::tensor({kNan, kInf, -100.0F, 0.0F}));
  EXPECT_TRUE(std::isnan(y[0].item<float>()));
  EXPECT_EQ(y[1].item<float>(), kInf);
  EXPECT_NEAR(y[2].item<float>(), 0, 1e-30);
  EXPECT_EQ(y[3].item<float>(), 0);
}

TEST(Gelu, OtherNumbersAreTheLibrarys) {
  const Tensor x = torch::randn({30}, torch::kFloat64).requires_grad_();
  EXPECT_TRUE(glidepath::gelu(x).equal(torch::gelu(x)));
  EXPECT_TRUE(glidepath::gelu(torch::empty({0, 3})).equal(torch::empty({0, 3})));
}

TEST(Gelu, ASecondDerivativeIsRefused) {
  const Tensor x = torch::randn({30}).requires_grad_();
  const Tensor y = glidepath::gelu(x).square().sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), RunError);
}

}  // namespace
}  // namespace glidepath
