// bench/conv.cpp - 3x3 convolutions in float32: Winograd's kernels against LibTorch's, in turn.
//
//     ninja -C build/release conv && build/release/bench/conv [threads] [rounds]
//
// GFLOP/s count the direct convolution's operations, whatever is really computed; transforms of the filters
// are included. "peak" is what the kernel of the products alone reaches with all it touches in the first
// cache.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "nn/kernels/conv3x3.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/winograd/winograd.h"

namespace {

namespace winograd = glidepath::winograd;
using torch::Tensor;

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Of all threads together.
double peak_gflops(int threads) {
  const winograd::Kernels& kernels = *winograd::kernels_for(64);
  constexpr std::int64_t kChannels = 64, kTimes = 20'000;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double seconds = seconds_of([&] {
      glidepath::parallel_ranges(threads, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> v(static_cast<std::size_t>(kernels.rows * kChannels), 1.0F);
        std::vector<float> u(static_cast<std::size_t>(kernels.panel * kChannels), 1.0F);
        std::vector<float> m(static_cast<std::size_t>(kernels.rows * kernels.panel));
        for (std::int64_t i = begin; i < end; ++i) {
          for (std::int64_t t = 0; t < kTimes; ++t) {
            kernels.multiply(v.data(), kernels.rows, kChannels, u.data(), m.data());
          }
        }
      });
    });
    const double operations =
        2.0 * threads * kTimes * static_cast<double>(kernels.rows * kernels.panel * kChannels);
    best = std::max(best, operations / seconds * 1e-9);
  }
  return best;
}

struct Layer {
  std::int64_t images, channels, filters, size;
};

void compare(const Layer& layer, int rounds, double peak) {
  const auto [n, c, k, size] = layer;
  const winograd::Shape there{n, size, size, c, k}, back{n, size, size, k, c};
  const auto last = torch::MemoryFormat::ChannelsLast;
  const Tensor x = torch::randn({n, c, size, size}).relu().contiguous(last);
  const Tensor dy = torch::randn({n, k, size, size}).contiguous(last);
  const Tensor w = (torch::randn({k, c, 3, 3}) / std::sqrt(4.5 * static_cast<double>(c))).contiguous(last);
  Tensor y = torch::empty_like(dy), dx = torch::empty_like(x), dw = torch::empty({3, 3, c, k});
  const auto data = [](const Tensor& tensor) { return tensor.data_ptr<float>(); };
  const auto library = [&](bool input, bool weight) {
    return at::convolution_backward(dy, x, w, c10::nullopt, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1,
                                    {input, weight, false});
  };
  const std::vector<std::function<void()>> works = {
      [&] {
        at::convolution(x, w, {}, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1);
      },
      [&] {
        winograd::forward(there, data(x), data(w.permute({2, 3, 1, 0}).contiguous()), data(y));
      },
      [&] { library(true, false); },
      [&] {
        winograd::forward(back, data(dy), data(w.flip({2, 3}).permute({2, 3, 0, 1}).contiguous()), data(dx));
      },
      [&] { library(false, true); },
      [&] { winograd::filter_gradients(there, data(x), data(dy), data(dw)); }};
  std::vector<std::vector<double>> seconds(works.size());
  for (const auto& work : works) work();
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) seconds[i].push_back(seconds_of(works[i]));
  }
  const double gflop = 18e-9 * static_cast<double>(n * size * size * c * k);
  std::printf("| %lld -> %lld at %lld%s", static_cast<long long>(c), static_cast<long long>(k),
              static_cast<long long>(size), glidepath::fits_winograd(c, k) ? "" : " (library by default)");
  for (std::size_t pass = 0; pass < 3; ++pass) {
    std::vector<double> ratios;
    const auto &theirs = seconds[2 * pass], &ours = seconds[2 * pass + 1];
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(theirs[i] / ours[i]);
    const double speed = gflop / median(ours);
    std::printf(" | %.0f -> %.0f (%.2f), %.0f %%", gflop / median(theirs), speed, median(ratios),
                100 * speed / peak);
  }
  std::printf(" |\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : at::get_num_threads();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  if (threads < 1 || rounds < 1) {
    std::fputs("conv [threads] [rounds]: both 1 or more\n", stderr);
    return 2;
  }
  if (winograd::kernels_for(64) == nullptr) {
    std::fputs("conv: this CPU has neither AVX2 nor AVX-512\n", stderr);
    return 1;
  }
  at::set_num_threads(threads);
  const at::NoGradGuard no_grad;
  const double peak = peak_gflops(threads);
  std::printf(
      "%d thread(s), peak of the products %.0f GFLOP/s; %d rounds in turn, medians: LibTorch -> ours "
      "(ratio), "
      "share of the peak\n\n| 128 images | forward | backward, inputs | backward, filters "
      "|\n|---|---|---|---|\n",
      threads, peak, rounds);
  const std::vector<Layer> layers = {{128, 64, 64, 32},  {128, 128, 128, 16}, {128, 256, 256, 8},
                                     {128, 512, 512, 4}, {128, 64, 256, 15},  {128, 256, 256, 15},
                                     {128, 256, 256, 7}, {128, 256, 256, 3},  {128, 24, 64, 31},
                                     {128, 64, 64, 8},   {128, 32, 32, 16},   {128, 16, 16, 32}};
  for (const Layer& layer : layers) compare(layer, rounds, peak);
}
