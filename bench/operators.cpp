// bench/operators.cpp - what surrounds convolutions: our operators against LibTorch's, forward and backward,
// in turn.
//
//     ninja -C build/release operators && build/release/bench/operators [threads] [rounds]
//
// Shapes are those of `airbench` (256 images) and of a ResNet-18 at a quarter of its width (128), in
// channels_last.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/types.h>

#include "glidepath/train.h"
#include "nn/kernels/batch_norm_relu.h"
#include "nn/kernels/causal_softmax.h"
#include "nn/kernels/gelu.h"
#include "nn/kernels/matrix_product.h"
#include "nn/kernels/max_pool.h"
#include "timing.h"

namespace {

using torch::Tensor;

struct Case {
  std::string name;
  Tensor x;
  std::function<Tensor(const Tensor&)> library, ours;
  bool has_gradients = true;
};

/// Milliseconds forward and backward.
std::vector<double> times_of(const Case& each, const std::function<Tensor(const Tensor&)>& f) {
  const Tensor x = each.x.detach().requires_grad_(each.has_gradients);
  Tensor y;
  std::vector<double> times{milliseconds_of([&] { y = f(x); })};
  if (!each.has_gradients) return times;
  const Tensor dy = torch::ones_like(y);
  times.push_back(milliseconds_of([&] { torch::autograd::grad({y}, {x}, {dy}); }));
  return times;
}

void compare(const Case& each, int rounds) {
  std::vector<std::vector<double>> library(2), ours(2);
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    const auto theirs = times_of(each, each.library), own = times_of(each, each.ours);
    for (std::size_t pass = 0; round >= 0 && pass < own.size(); ++pass) {
      library[pass].push_back(theirs[pass]);
      ours[pass].push_back(own[pass]);
    }
  }
  std::printf("| %s", each.name.c_str());
  for (std::size_t pass = 0; pass < 2; ++pass) {
    if (ours[pass].empty()) {
      std::printf(" | ");
      continue;
    }
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours[pass].size(); ++i) ratios.push_back(library[pass][i] / ours[pass][i]);
    std::printf(" | %.2f -> %.2f (%.2f)", median(library[pass]), median(ours[pass]), median(ratios));
  }
  std::printf(" |\n");
  std::fflush(stdout);
}

Tensor pictures(torch::IntArrayRef sizes, torch::ScalarType kind) {
  return torch::randn(sizes).to(kind).contiguous(torch::MemoryFormat::ChannelsLast);
}

std::vector<Case> cases_in(torch::ScalarType kind, const std::string& format) {
  const Tensor wide = pictures({256, 64, 31, 31}, kind), narrow = pictures({128, 16, 32, 32}, kind);
  const auto norm = [](std::int64_t channels) {
    return torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(channels));
  };
  return {
      {"2×2 max-pooling, 64 at 31, " + format, wide, [](const Tensor& x) { return torch::max_pool2d(x, 2); },
       [](const Tensor& x) { return glidepath::max_pool(x); }},
      {"GELU, 64 at 31, " + format, wide, [](const Tensor& x) { return torch::gelu(x); },
       [](const Tensor& x) { return glidepath::gelu(x); }},
      {"batch norm and GELU, 64 at 31, " + format, wide,
       [norm = norm(64)](const Tensor& x) mutable { return torch::gelu(norm(x)); },
       [norm = norm(64)](const Tensor& x) mutable { return glidepath::batch_norm_gelu(norm, x); }},
      {"causal softmax, 4 heads of 128 tokens, " + format, torch::randn({32, 4, 128, 128}).to(kind),
       [future = torch::ones({128, 128}, torch::kBool).triu(1)](const Tensor& x) {
         return torch::softmax((x / 4).masked_fill(future, -INFINITY), 3);
       },
       [](const Tensor& x) { return glidepath::causal_softmax(x, 0.25); }},
      {"batch norm and ReLU, 16 at 32, " + format, narrow,
       [norm = norm(16)](const Tensor& x) mutable { return norm(x).relu_(); },
       [norm = norm(16)](const Tensor& x) mutable { return glidepath::batch_norm_relu(norm, x); }}};
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : at::get_num_threads();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  if (threads < 1 || rounds < 1) {
    std::fputs("operators [threads] [rounds]: both 1 or more\n", stderr);
    return 2;
  }
  glidepath::keep_freed_memory();
  at::set_num_threads(threads);
  std::printf(
      "%d thread(s), %d rounds in turn, medians in ms: LibTorch -> ours (ratio)\n\n| operator | forward | "
      "backward |\n"
      "|---|---|---|\n",
      threads, rounds);
  for (const Case& each : cases_in(torch::kBFloat16, "bf16")) compare(each, rounds);
  for (const Case& each : cases_in(torch::kFloat32, "float32")) compare(each, rounds);
  const Tensor b = torch::randn({576, 256});
  compare({"product of matrices, 256 × 576 × 256, float32", torch::randn({256, 576}),
           [b](const Tensor& a) { return torch::mm(a, b); },
           [b](const Tensor& a) { return glidepath::matrix_product(a, b); }, false},
          rounds);
}
