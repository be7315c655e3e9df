// tests/nn/kernels/causal_softmax_test.cpp - shares of tokens and their gradients against LibTorch's in
// float64.
#include "nn/kernels/causal_softmax.h"

#include <cmath>
#include <limits>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "support/gradients.h"

namespace glidepath {
namespace {

using torch::Tensor;

Tensor by_operators(const Tensor& scores, double scale) {
  const std::int64_t tokens = scores.size(-1);
  const Tensor future = torch::ones({tokens, tokens}, torch::kBool).triu(1);
  return torch::softmax((scores * scale).masked_fill(future, -INFINITY), -1);
}

double furthest(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(CausalSoftmax, SharesAndGradientsAreTheOperatorsInFloat64) {
  for (const auto kind : {torch::kFloat32, torch::kBFloat16}) {
    for (const std::int64_t tokens : {1, 2, 15, 16, 17, 128, 200}) {
      SCOPED_TRACE(testing::Message() << torch::toString(kind) << ", " << tokens << " tokens");
      at::manual_seed(tokens);
      const Tensor scores = (4 * torch::randn({2, 3, tokens, tokens})).to(kind);
      const Tensor a = scores.clone().requires_grad_(), b = scores.to(torch::kFloat64).requires_grad_();
      const Tensor ours = causal_softmax(a, 0.37), right = by_operators(b, 0.37);
      const double rounding = kind == torch::kFloat32 ? 5e-7 : 1.0 / 256;
      EXPECT_EQ(ours.scalar_type(), kind);
      EXPECT_LT(furthest(ours, right), rounding);
      EXPECT_EQ(furthest(ours.triu(1), torch::zeros_like(ours)), 0);
      const Tensor dy = torch::randn(scores.sizes()).to(kind).transpose(2, 3);  // not contiguous
      const Tensor found = gradient_of(ours, a, dy), wanted = gradient_of(right, b, dy.to(torch::kFloat64));
      EXPECT_LT(furthest(found, wanted), 3 * rounding);
    }
  }
}

TEST(CausalSoftmax, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  const Tensor x = torch::randn({9, 4, 100, 100}), dy = torch::randn_like(x);
  std::vector<Tensor> found;
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    const Tensor input = x.clone().requires_grad_(), y = causal_softmax(input, 0.2);
    found.push_back(y.detach());
    found.push_back(gradient_of(y, input, dy));
  }
  at::set_num_threads(before);
  EXPECT_TRUE(found[0].equal(found[2]));
  EXPECT_TRUE(found[1].equal(found[3]));
}

TEST(CausalSoftmax, LargeScoresAndWhatIsNotANumber) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  const Tensor large = torch::tensor({1e30F, 5.0F, -1e30F, 1e30F}).view({1, 2, 2});
  const Tensor sure = torch::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({1, 2, 2});
  EXPECT_LT(furthest(causal_softmax(large, 1), sure), 1e-37);
  // What is not a number in the future harms nobody; in the past it is seen.
  const Tensor y = causal_softmax(torch::tensor({0.0F, kNan, kNan, 0.0F}).view({1, 2, 2}), 1);
  EXPECT_EQ(y[0][0][0].item<float>(), 1);
  EXPECT_EQ(y[0][0][1].item<float>(), 0);
  EXPECT_TRUE(y[0][1].isnan().all().item<bool>());
  const Tensor gone = causal_softmax(torch::tensor({0.0F, 0.0F, -kInf, 0.0F}).view({1, 2, 2}), 1);
  EXPECT_LT(furthest(gone[0][1], torch::tensor({0.0F, 1.0F})), 1e-37);
}

TEST(CausalSoftmax, OtherNumbersAreTheLibrarys) {
  const Tensor x = torch::randn({2, 5, 5}, torch::kFloat64);
  EXPECT_TRUE(causal_softmax(x, 0.5).equal(by_operators(x, 0.5)));
}

TEST(CausalSoftmax, ASecondDerivativeIsRefused) {
  const Tensor x = torch::randn({1, 4, 4}).requires_grad_();
  const Tensor y = causal_softmax(x, 1).square().sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), RunError);
}

}  // namespace
}  // namespace glidepath
