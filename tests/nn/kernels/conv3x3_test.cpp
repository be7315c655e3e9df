// tests/nn/kernels/conv3x3_test.cpp - our convolutions against the direct one in float64, for values and
// gradients.
#include "nn/kernels/conv3x3.h"

#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>
#include <torch/version.h>

#include "glidepath/error.h"
#include "nn/kernels/amx/amx.h"
#include "nn/kernels/conv_guard.h"
#include "nn/kernels/winograd/winograd.h"
#include "support/gradients.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr ConvKernels kLibrary = ConvKernels::kLibrary, kWinograd = ConvKernels::kWinograd,
                      kFastest = ConvKernels::kFastest;

struct Layer {
  std::int64_t images, channels, filters, height, width;
};

double distance(const Tensor& ours, const Tensor& exact) {
  return ((ours.to(torch::kFloat64) - exact).norm() / exact.norm()).item<double>();
}

Tensor pictures(const Layer& c) {
  return torch::randn({c.images, c.channels, c.height, c.width})
      .contiguous(torch::MemoryFormat::ChannelsLast);
}

torch::nn::Conv2d convolution(std::int64_t channels, std::int64_t filters) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, filters, 3).padding(1).bias(false));
}

/// As plans with bf16 compute.
struct InBfloat16 {
  InBfloat16() { set(true); }
  ~InBfloat16() { set(false); }
  static void set(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(torch::kCPU, on);
    at::autocast::set_autocast_dtype(torch::kCPU, torch::kBFloat16);
#else
    at::autocast::set_cpu_enabled(on);
    at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
#endif
    if (!on) at::autocast::clear_cache();
  }
};

/// Of F(4x4,3x3) in float32: roundings of a sum add up like a random walk, so with the root of its length.
double rounding(std::int64_t summed) { return 3.5e-7 * std::sqrt(static_cast<double>(summed)); }

/// y, dx and dw of a convolution for the same gradient.
std::vector<Tensor> results(torch::nn::Conv2d conv, const Tensor& x, const Tensor& gradient,
                            ConvKernels kernels) {
  const ConvGuard guard(kernels);
  const Tensor input = x.detach().clone().requires_grad_();
  const Tensor y = convolve(conv, input);
  const auto found = torch::autograd::grad({y}, {input, conv->weight}, {gradient});
  return {y.detach(), found[0], found[1]};
}

/// With each kind of kernels that there are for it, in either precision.
std::vector<Tensor> all_results(const torch::nn::Conv2d& conv, const Tensor& x, const Tensor& gradient) {
  std::vector<Tensor> all;
  const auto has = [&](ConvKernels kernels, bool in_bf16) {
    return has_kernels(kernels, conv->weight.size(1), conv->weight.size(0), in_bf16);
  };
  if (has(kWinograd, false)) all = results(conv, x, gradient, kWinograd);
  for (const ConvKernels kernels : {kWinograd, kFastest}) {
    if (!has(kernels, true)) continue;
    const InBfloat16 autocast;
    for (const Tensor& each : results(conv, x, gradient.to(torch::kBFloat16), kernels)) all.push_back(each);
  }
  return all;
}

class Conv3x3Test : public testing::TestWithParam<Layer> {
 protected:
  void SetUp() override {
    at::manual_seed(GetParam().channels + GetParam().height);
    conv_ = convolution(GetParam().channels, GetParam().filters);
    x_ = pictures(GetParam());
    gradient_ = pictures({GetParam().images, GetParam().filters, 0, GetParam().height, GetParam().width});
  }
  /// y, dx and dw of the direct convolution in float64 with filters like `conv`'s.
  std::vector<Tensor> right(const torch::nn::Conv2d& conv) const {
    torch::nn::Conv2d exact = convolution(GetParam().channels, GetParam().filters);
    exact->weight.set_data(conv->weight.detach().to(torch::kFloat64));
    return results(exact, x_.to(torch::kFloat64), gradient_.to(torch::kFloat64), kLibrary);
  }
  torch::nn::Conv2d conv_{nullptr};
  Tensor x_, gradient_;
};

TEST_P(Conv3x3Test, EqualsTheDirectOneInFloat64) {
  if (!ConvGuard::is_possible(kWinograd, false)) GTEST_SKIP() << "this CPU has neither AVX2 nor AVX-512";
  if (!has_kernels(kWinograd, GetParam().channels, GetParam().filters, false))
    GTEST_SKIP() << "the library's";
  const auto ours = results(conv_, x_, gradient_, kWinograd), exact = right(conv_);
  EXPECT_LT(distance(ours[0], exact[0]), rounding(GetParam().channels));
  EXPECT_LT(distance(ours[1], exact[1]), rounding(GetParam().filters));
  EXPECT_LT(distance(ours[2], exact[2]), 2e-5);
  EXPECT_TRUE(ours[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
}

TEST_P(Conv3x3Test, InBfloat16ItIsCloseToTheDirectOneInFloat64) {
  if (!ConvGuard::is_possible(kFastest, true)) GTEST_SKIP() << "this CPU has no AVX-512 BF16";
  x_ = x_.to(torch::kBFloat16).to(torch::kFloat32);
  gradient_ = gradient_.to(torch::kBFloat16).to(torch::kFloat32);
  const auto exact = right(conv_);
  const InBfloat16 autocast;
  for (const ConvKernels kernels : {kWinograd, kFastest}) {
    const bool in_tiles = kernels == kFastest && amx::is_there();
    SCOPED_TRACE(in_tiles ? "in tiles" : "Winograd's");
    if (!has_kernels(kernels, GetParam().channels, GetParam().filters, true)) continue;
    const auto ours = results(conv_, x_, gradient_.to(torch::kBFloat16), kernels);
    EXPECT_EQ(ours[0].scalar_type(), torch::kBFloat16);
    EXPECT_EQ(ours[1].scalar_type(), torch::kFloat32);  // as x was
    EXPECT_EQ(ours[2].scalar_type(), torch::kFloat32);
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_LT(distance(ours[i], exact[i]), in_tiles ? 0.004 : 0.006) << i;
    EXPECT_TRUE(ours[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Conv3x3Test,
    testing::Values(
        Layer{1, 24, 24, 1, 1}, Layer{2, 24, 40, 3, 3}, Layer{3, 32, 32, 4, 4}, Layer{2, 40, 24, 5, 9},
        Layer{1, 64, 72, 13, 2}, Layer{2, 128, 64, 7, 8}, Layer{5, 24, 64, 31, 31}, Layer{50, 24, 32, 16, 16},
        Layer{40, 64, 64, 16, 16}, Layer{3, 56, 264, 8, 1}, Layer{1, 32, 64, 1, 1}, Layer{3, 40, 48, 3, 3},
        Layer{1, 72, 32, 5, 4}, Layer{7, 104, 56, 9, 6}, Layer{70, 32, 40, 15, 15}, Layer{3, 24, 24, 10, 33},
        Layer{2, 24, 32, 60, 250}, Layer{5, 160, 288, 4, 4}, Layer{1, 8, 8, 1, 1}, Layer{3, 8, 8, 32, 32},
        Layer{2, 8, 16, 7, 9}, Layer{2, 8, 72, 9, 3}, Layer{4, 3, 8, 5, 5}, Layer{7, 3, 64, 16, 16},
        Layer{2, 1, 16, 28, 28}, Layer{2, 3, 24, 60, 250}, Layer{16, 32, 40, 1, 2}, Layer{33, 64, 32, 4, 4},
        Layer{50, 40, 24, 7, 5}, Layer{70, 72, 32, 3, 8}, Layer{90, 256, 64, 8, 8}, Layer{12, 32, 32, 6, 20},
        Layer{2, 96, 64, 35, 24}, Layer{40, 16, 16, 32, 32}, Layer{20, 16, 32, 9, 9}),
    [](const auto& info) {
      const Layer& c = info.param;
      return "N" + std::to_string(c.images) + "C" + std::to_string(c.channels) + "K" +
             std::to_string(c.filters) + "H" + std::to_string(c.height) + "W" + std::to_string(c.width);
    });

// AVX2's kernels run on a processor with AVX-512 too, and add in the same order.
TEST(Conv3x3, BothInstructionSetsComputeTheSame) {
  const winograd::FloatKernels *wide = winograd::avx512_kernels(), *narrow = winograd::avx2_kernels();
  if (!ConvGuard::is_possible(kWinograd, false) || winograd::kernels_for(24) != wide)
    GTEST_SKIP() << "no AVX-512 here";
  const std::int64_t tiles = 24, channels = 40;
  const Tensor v = torch::randn({tiles, channels}), u = torch::randn({channels, wide->panel});
  const Tensor right = torch::mm(v.to(torch::kFloat64), u.to(torch::kFloat64));
  Tensor found = torch::empty({tiles, wide->panel});
  wide->multiply(v.data_ptr<float>(), tiles, channels, u.data_ptr<float>(), found.data_ptr<float>());
  EXPECT_LT(distance(found, right), 1e-6);
  const Tensor half = u.narrow(1, 0, narrow->panel).contiguous();
  Tensor of_half = torch::empty({tiles, narrow->panel});
  narrow->multiply(v.data_ptr<float>(), tiles, channels, half.data_ptr<float>(), of_half.data_ptr<float>());
  EXPECT_TRUE(of_half.equal(found.narrow(1, 0, narrow->panel)));
}

// The second has enough tiles for filters' sums of several chunks.
TEST(Conv3x3, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  for (const Layer& c : {Layer{9, 48, 40, 14, 11}, Layer{60, 32, 32, 16, 16}, Layer{40, 8, 16, 12, 11},
                         Layer{90, 64, 64, 7, 5}}) {
    const Tensor x = pictures(c), gradient = pictures({c.images, c.filters, 0, c.height, c.width});
    const torch::nn::Conv2d conv = convolution(c.channels, c.filters);
    at::set_num_threads(1);
    const auto one = all_results(conv, x, gradient);
    for (const int threads : {2, 3, 7}) {
      at::set_num_threads(threads);
      const auto many = all_results(conv, x, gradient);
      for (std::size_t i = 0; i < one.size(); ++i)
        EXPECT_TRUE(one[i].equal(many[i])) << threads << " threads, " << i;
    }
  }
  at::set_num_threads(before);
}

struct Strided {
  Layer layer;
  std::int64_t side;
};

class StridedConvTest : public testing::TestWithParam<Strided> {
 protected:
  void SetUp() override {
    if (!amx::is_there()) GTEST_SKIP() << "this CPU has no AMX";
    at::manual_seed(GetParam().layer.channels + GetParam().layer.height);
    const Layer& c = GetParam().layer;
    conv_ = convolution();
    x_ = pictures(c).to(torch::kBFloat16).to(torch::kFloat32);
    gradient_ =
        pictures({c.images, c.filters, 0, (c.height + 1) / 2, (c.width + 1) / 2}).to(torch::kBFloat16);
  }
  static torch::nn::Conv2d convolution() {
    const auto [layer, side] = GetParam();
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(layer.channels, layer.filters, side)
                                 .stride(2)
                                 .padding(side / 2)
                                 .bias(false));
  }
  torch::nn::Conv2d conv_{nullptr};
  Tensor x_, gradient_;
};

TEST_P(StridedConvTest, InTilesItIsCloseToTheDirectOneInFloat64) {
  torch::nn::Conv2d exact = convolution();
  exact->weight.set_data(conv_->weight.detach().to(torch::kFloat64));
  const auto right = results(exact, x_.to(torch::kFloat64), gradient_.to(torch::kFloat64), kLibrary);
  const InBfloat16 autocast;
  {
    const ConvGuard guard(kFastest);
    const std::string maker = made_by(convolve(conv_, x_.clone().requires_grad_()));
    EXPECT_NE(maker.find("OwnConv"), std::string::npos) << maker;
  }
  const auto ours = results(conv_, x_, gradient_, kFastest);
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_LT(distance(ours[i], right[i]), 0.003) << i;
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 3, 7}) {
    at::set_num_threads(threads);
    const auto found = results(conv_, x_, gradient_, kFastest);
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_TRUE(found[i].equal(ours[i])) << threads << ", " << i;
  }
  at::set_num_threads(before);
}

INSTANTIATE_TEST_SUITE_P(Shapes, StridedConvTest,
                         testing::Values(Strided{{16, 32, 24, 1, 1}, 3}, Strided{{33, 64, 32, 8, 8}, 3},
                                         Strided{{40, 24, 40, 7, 9}, 3}, Strided{{20, 96, 72, 33, 40}, 3},
                                         Strided{{17, 32, 64, 2, 3}, 3}, Strided{{70, 128, 256, 8, 8}, 3},
                                         Strided{{33, 64, 32, 8, 8}, 1}, Strided{{20, 16, 32, 16, 16}, 3},
                                         Strided{{20, 16, 32, 16, 16}, 1}, Strided{{40, 24, 40, 7, 9}, 1},
                                         Strided{{20, 64, 128, 32, 32}, 1}, Strided{{16, 32, 24, 1, 1}, 1}));

TEST(Conv3x3, InBfloat16WhatFitsIsOurs) {
  const ConvGuard guard(kFastest);
  const InBfloat16 autocast;
  const auto taken = [](const Layer& layer, torch::ScalarType kind) {
    torch::nn::Conv2d conv = convolution(layer.channels, layer.filters);
    return made_by(convolve(conv, pictures(layer).to(kind).requires_grad_())).find("OwnConv") !=
           std::string::npos;
  };
  const bool possible = ConvGuard::is_possible(kFastest, true);
  EXPECT_EQ(taken({2, 32, 64, 8, 8}, torch::kBFloat16), possible);
  EXPECT_EQ(taken({2, 32, 64, 8, 8}, torch::kFloat32), possible);
  EXPECT_EQ(taken({2, 32, 64, 3, 3}, torch::kBFloat16), possible);  // for the filters' gradients
  EXPECT_EQ(taken({2, 24, 64, 8, 8}, torch::kBFloat16), amx::is_there());
  EXPECT_EQ(taken({2, 24, 24, 1, 1}, torch::kBFloat16), amx::is_there());
  EXPECT_EQ(taken({2, 16, 32, 8, 8}, torch::kBFloat16), amx::is_there());
  EXPECT_FALSE(taken({2, 16, 64, 8, 8}, torch::kBFloat16));
  EXPECT_EQ(taken({2, 3, 8, 8, 8}, torch::kBFloat16), amx::is_there());
  EXPECT_EQ(taken({2, 8, 8, 8, 8}, torch::kFloat32), amx::is_there());
  EXPECT_FALSE(taken({2, 5, 8, 8, 8}, torch::kBFloat16));
  EXPECT_EQ(taken({2, 32, 16, 8, 8}, torch::kBFloat16), amx::is_there());
  EXPECT_FALSE(taken({2, 64, 16, 8, 8}, torch::kBFloat16));
  EXPECT_FALSE(taken({2, 32, 36, 8, 8}, torch::kBFloat16));
}

TEST(Conv3x3, WhatDoesNotFitIsTheLibrarys) {
  const ConvGuard guard(kFastest);
  const auto taken = [](torch::nn::Conv2dOptions options, const Tensor& x) {
    torch::nn::Conv2d conv(options.bias(false));
    return made_by(convolve(conv, x.clone().requires_grad_())).find("OwnConv") != std::string::npos;
  };
  const Tensor x = pictures({2, 32, 32, 8, 8});
  const auto same = [] { return torch::nn::Conv2dOptions(32, 32, 3).padding(1); };
  EXPECT_EQ(taken(same(), x), ConvGuard::is_possible(kFastest, false));
  EXPECT_FALSE(taken(same().stride(2), x));
  EXPECT_FALSE(taken(same().padding(0), x));
  EXPECT_FALSE(taken(same().dilation(2).padding(2), x));
  EXPECT_FALSE(taken(same().groups(2), x));
  EXPECT_FALSE(taken(same().padding_mode(torch::kCircular), x));
  EXPECT_FALSE(taken(torch::nn::Conv2dOptions(32, 32, 5).padding(2), x));
  EXPECT_FALSE(taken(torch::nn::Conv2dOptions(32, 36, 3).padding(1), x));
  EXPECT_FALSE(taken(torch::nn::Conv2dOptions(16, 32, 3).padding(1), pictures({2, 16, 16, 8, 8})));
  EXPECT_FALSE(taken(same(), x.contiguous()));
  EXPECT_FALSE(taken(same(), torch::empty({0, 32, 8, 8}).contiguous(torch::MemoryFormat::ChannelsLast)));
  const ConvGuard off(kLibrary);
  EXPECT_FALSE(taken(same(), x));
}

// oneDNN 2.7 on AMX has wrong ones for many of these.
TEST(Conv3x3, WidePicturesInBfloat16HaveTheGradientsOfFloat64) {
  for (const std::int64_t width : {200, 240, 256, 320}) {
    for (const std::int64_t height : {16, 60, 97, 180}) {
      SCOPED_TRACE(testing::Message() << height << " x " << width);
      at::manual_seed(width + height);
      const Layer c{2, 8, 16, height, width};
      const Tensor x = pictures(c), gradient = pictures({c.images, c.filters, 0, height, width});
      torch::nn::Conv2d conv = convolution(c.channels, c.filters), exact = convolution(c.channels, c.filters);
      exact->to(torch::kFloat64);
      exact->weight.set_data(conv->weight.detach().to(torch::kFloat64));
      const auto right = results(exact, x.to(torch::kFloat64), gradient.to(torch::kFloat64), kLibrary);
      const InBfloat16 autocast;
      const auto found = results(conv, x, gradient.to(torch::kBFloat16), kLibrary);
      for (std::size_t i = 0; i < right.size(); ++i) EXPECT_LT(distance(found[i], right[i]), 0.01) << i;
    }
  }
}

TEST(Conv3x3, FrozenFiltersAndInputsGetNoGradient) {
  const ConvGuard guard(kFastest);
  torch::nn::Conv2d conv = convolution(32, 32);
  const Tensor x = pictures({1, 32, 32, 6, 6});
  convolve(conv, x).sum().backward();
  EXPECT_TRUE(conv->weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
  conv->weight.set_requires_grad(false);
  EXPECT_FALSE(convolve(conv, x).requires_grad());
}

TEST(Conv3x3, ASecondDerivativeIsRefused) {
  if (!ConvGuard::is_possible(kWinograd, false)) GTEST_SKIP() << "this CPU has neither AVX2 nor AVX-512";
  const ConvGuard guard(kFastest);
  torch::nn::Conv2d conv = convolution(32, 32);
  const Tensor x = pictures({1, 32, 32, 6, 6}).requires_grad_();
  const Tensor y = convolve(conv, x).square().sum();
  try {
    torch::autograd::grad({y}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true);
    FAIL() << "nothing was thrown";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("conv = \"library\""));
  }
}

}  // namespace
}  // namespace glidepath
