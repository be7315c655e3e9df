// tests/nn/kernels/max_pool_test.cpp - max-pooling and its gradient against LibTorch's, to the bit.
#include "nn/kernels/max_pool.h"

#include <limits>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "support/gradients.h"

namespace glidepath {
namespace {

using torch::Tensor;

// Few different numbers, so that many are equal.
Tensor pictures(torch::IntArrayRef sizes, torch::ScalarType kind) {
  return torch::randint(-3, 4, sizes).to(kind).contiguous(torch::MemoryFormat::ChannelsLast);
}

TEST(MaxPool, ValuesAndGradientsAreTheLibrarysToTheBit) {
  for (const auto kind : {torch::kFloat32, torch::kBFloat16}) {
    for (const auto& sizes : std::vector<std::vector<std::int64_t>>{
             {3, 64, 8, 8}, {2, 5, 7, 9}, {1, 16, 2, 2}, {2, 33, 3, 4}, {1, 1, 6, 5}, {40, 24, 31, 31}}) {
      SCOPED_TRACE(testing::Message()
                   << torch::toString(kind) << " " << sizes[1] << " at " << sizes[2] << " x " << sizes[3]);
      const Tensor x = pictures(sizes, kind);
      const Tensor a = x.clone().requires_grad_(), b = x.clone().requires_grad_();
      const Tensor ours = max_pool(a), right = torch::max_pool2d(b, 2);
      EXPECT_TRUE(ours.equal(right));
      EXPECT_NE(made_by(ours), made_by(right));
      EXPECT_TRUE(ours.is_contiguous(torch::MemoryFormat::ChannelsLast));
      const Tensor dy = torch::randn(right.sizes()).to(kind);  // in the other memory format
      EXPECT_TRUE(gradient_of(ours, a, dy).equal(gradient_of(right, b, dy)));
    }
  }
}

TEST(MaxPool, WhatIsNotANumberIsTheLargest) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  const Tensor squares = torch::tensor({1.0F, kNan, 3.0F, 2.0F, kNan, 1.0F, kNan, 5.0F, -kInf, -kInf, -kInf,
                                        -kInf, kInf, 1.0F, kInf, 2.0F})
                             .view({4, 1, 2, 2})
                             .contiguous(torch::MemoryFormat::ChannelsLast);
  const Tensor a = squares.clone().requires_grad_(), b = squares.clone().requires_grad_();
  const Tensor ours = max_pool(a), right = torch::max_pool2d(b, 2), dy = torch::ones_like(right);
  EXPECT_TRUE(ours.isnan().equal(right.isnan()));
  EXPECT_TRUE(ours.nan_to_num().equal(right.nan_to_num()));
  EXPECT_TRUE(gradient_of(ours, a, dy).equal(gradient_of(right, b, dy)));
}

TEST(MaxPool, OtherTensorsAreTheLibrarys) {
  for (const Tensor& x :
       {torch::randn({2, 3, 4, 4}), torch::randn({3, 4, 4}), pictures({2, 4, 4, 4}, torch::kFloat64)}) {
    const Tensor y = max_pool(x.clone().requires_grad_());
    EXPECT_TRUE(y.equal(torch::max_pool2d(x, 2)));
    EXPECT_NE(made_by(y).find("MaxPool2D"), std::string::npos) << made_by(y);
  }
  EXPECT_ANY_THROW(max_pool(pictures({2, 4, 1, 4}, torch::kFloat32)));
}

TEST(MaxPool, ASecondDerivativeIsRefused) {
  const Tensor x = pictures({1, 8, 4, 4}, torch::kFloat32).requires_grad_();
  const Tensor y = max_pool(x).square().sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), RunError);
}

}  // namespace
}  // namespace glidepath
