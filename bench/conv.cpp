// bench/conv.cpp - 3x3 convolutions in float32 or bfloat16: Winograd's kernels against LibTorch's, in turn.
//
//     ninja -C build/release conv && build/release/bench/conv [threads] [rounds] [fp32|bf16]
//
// In bfloat16 the library has tiles of AMX where the CPU has them; DNNL_MAX_CPU_ISA=AVX512_CORE_BF16 keeps it
// from them, as on a CPU that has none.
//
// GFLOP/s count the direct convolution's operations, whatever is really computed; transforms of the filters
// are included. "peak" is what the kernel of the products alone reaches with all it touches in the first
// cache.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "nn/kernels/conv3x3.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/winograd/winograd.h"
#include "timing.h"

namespace {

namespace winograd = glidepath::winograd;
using torch::Tensor;

/// Of all threads together.
template <typename K>
double peak_gflops(const K& kernels, int threads) {
  using Number = typename K::Number;
  constexpr std::int64_t kChannels = 64, kTimes = 20'000;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double seconds = seconds_of([&] {
      glidepath::parallel_ranges(threads, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<Number> v(static_cast<std::size_t>(kernels.rows * kChannels), Number{1});
        std::vector<Number> u(static_cast<std::size_t>(kernels.panel * kChannels), Number{1});
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

template <typename Number>
void compare(const Layer& layer, int rounds, double peak) {
  const auto [n, c, k, size] = layer;
  const winograd::Shape there{n, size, size, c, k}, back{n, size, size, k, c};
  const auto last = torch::MemoryFormat::ChannelsLast;
  const auto kind = sizeof(Number) == sizeof(float) ? torch::kFloat32 : torch::kBFloat16;
  const Tensor x = torch::randn({n, c, size, size}).relu().to(kind).contiguous(last);
  const Tensor dy = torch::randn({n, k, size, size}).to(kind).contiguous(last);
  const Tensor w = (torch::randn({k, c, 3, 3}) / std::sqrt(4.5 * static_cast<double>(c))).contiguous(last);
  const Tensor rounded = w.to(kind);
  Tensor y = torch::empty_like(dy), dx = torch::empty_like(x), dw = torch::empty({3, 3, c, k});
  const auto data = [](const Tensor& tensor) { return static_cast<Number*>(tensor.data_ptr()); };
  const auto floats = [](const Tensor& tensor) { return tensor.data_ptr<float>(); };
  const auto library = [&](bool input, bool weight) {
    return at::convolution_backward(dy, x, rounded, c10::nullopt, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1,
                                    {input, weight, false});
  };
  const std::vector<std::function<void()>> works = {
      [&] {
        at::convolution(x, rounded, {}, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1);
      },
      [&] {
        winograd::forward(there, data(x), floats(w.permute({2, 3, 1, 0}).contiguous()), data(y));
      },
      [&] { library(true, false); },
      [&] {
        winograd::forward(back, data(dy), floats(w.flip({2, 3}).permute({2, 3, 0, 1}).contiguous()),
                          data(dx));
      },
      [&] { library(false, true); },
      [&] { winograd::filter_gradients(there, data(x), data(dy), floats(dw)); }};
  std::vector<std::vector<double>> seconds(works.size());
  for (const auto& work : works) work();
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) seconds[i].push_back(seconds_of(works[i]));
  }
  const double gflop = 18e-9 * static_cast<double>(n * size * size * c * k);
  std::printf("| %lld -> %lld at %lld%s", static_cast<long long>(c), static_cast<long long>(k),
              static_cast<long long>(size),
              glidepath::fits_winograd(c, k, kind == torch::kBFloat16) ? "" : " (library by default)");
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

template <typename K>
int run(const K* kernels, int threads, int rounds) {
  if (kernels == nullptr) {
    std::fputs("conv: this CPU has no kernels for it\n", stderr);
    return 1;
  }
  const double peak = peak_gflops(*kernels, threads);
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
  for (const Layer& layer : layers) compare<typename K::Number>(layer, rounds, peak);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : at::get_num_threads();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  const std::string format = argc > 3 ? argv[3] : "fp32";
  if (threads < 1 || rounds < 1 || (format != "fp32" && format != "bf16")) {
    std::fputs("conv [threads] [rounds] [fp32|bf16]: both numbers 1 or more\n", stderr);
    return 2;
  }
  at::set_num_threads(threads);
  const at::NoGradGuard no_grad;
  return format == "fp32" ? run(winograd::kernels_for(64), threads, rounds)
                          : run(winograd::bf16_kernels(), threads, rounds);
}
