// bench/conv.cpp - 3x3 convolutions in float32 or bfloat16: our kernels against LibTorch's, in turn.
//
//     ninja -C build/release conv && build/release/bench/conv [threads] [rounds] [fp32|bf16|amx]
//
// fp32 and bf16 are Winograd's, amx the direct ones in bfloat16 of AMX's tiles.
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
#include <type_traits>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "nn/kernels/amx/amx.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/conv3x3.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/winograd/winograd.h"
#include "timing.h"

namespace {

namespace amx = glidepath::amx;
namespace winograd = glidepath::winograd;
using torch::Tensor;

/// The best of a few rounds, in which each of the threads does body(), of so many operations.
template <typename Body>
double best_gflops(int threads, double operations, const Body& body) {
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double seconds = seconds_of([&] {
      glidepath::parallel_ranges(threads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) body();
      });
    });
    best = std::max(best, threads * operations / seconds * 1e-9);
  }
  return best;
}

template <typename K>
double peak_gflops(const K& kernels, int threads) {
  using Number = typename K::Number;
  constexpr std::int64_t kChannels = 64, kTimes = 20'000;
  return best_gflops(threads, 2.0 * kTimes * static_cast<double>(kernels.rows * kernels.panel * kChannels),
                     [&] {
                       std::vector<Number> v(static_cast<std::size_t>(kernels.rows * kChannels), Number{1});
                       std::vector<Number> u(static_cast<std::size_t>(kernels.panel * kChannels), Number{1});
                       std::vector<float> m(static_cast<std::size_t>(kernels.rows * kernels.panel));
                       for (std::int64_t t = 0; t < kTimes; ++t)
                         kernels.multiply(v.data(), kernels.rows, kChannels, u.data(), m.data());
                     });
}

double peak_gflops_of_tiles(int threads) {
  constexpr std::int64_t kPixels = 16, kTimes = 50'000, kProducts = 3 * kPixels - 2;
  constexpr double kOperations = 2.0 * kTimes * kProducts * amx::kRows * amx::kRows * amx::kTogether;
  return best_gflops(threads, kOperations, [] {
    alignas(64) glidepath::Bf16 numbers[2][kPixels * amx::kOfTile] = {};
    alignas(64) float sums[3 * amx::kRows * amx::kRows] = {};
    const amx::Tiles tiles;
    for (std::int64_t t = 0; t < kTimes; ++t)
      amx::accumulate_shifts(numbers[0], numbers[1], {1, 1, kPixels, kPixels, 0, 0, 0, 0}, 1, sums);
  });
}

struct Layer {
  std::int64_t images, channels, filters, size, side = 3, stride = 1;
};

/// The passes of one layer, with filters [K, side, side, C].
template <typename Number_>
struct ByWinograd {
  using Number = Number_;
  static constexpr auto kKernels = glidepath::ConvKernels::kWinograd;
  static winograd::Shape shape(const Layer& layer) {
    return {layer.images, layer.size, layer.size, layer.channels, layer.filters};
  }
  static void forward(const winograd::Shape& shape, const Number* x, const Tensor& w, Number* y) {
    winograd::forward(shape, x, w.permute({2, 3, 1, 0}).contiguous().data_ptr<float>(), y);
  }
  static void input_gradients(winograd::Shape shape, const Number* dy, const Tensor& w, Number* dx) {
    std::swap(shape.channels, shape.filters);
    winograd::forward(shape, dy, w.flip({2, 3}).permute({2, 3, 0, 1}).contiguous().data_ptr<float>(), dx);
  }
  static void filter_gradients(const winograd::Shape& shape, const Number* x, const Number* dy, float* dw) {
    winograd::filter_gradients(shape, x, dy, dw);
  }
};
struct InTiles {
  using Number = glidepath::Bf16;
  static constexpr auto kKernels = glidepath::ConvKernels::kFastest;
  static amx::Shape shape(const Layer& layer) {
    return {layer.images, layer.size, layer.size, layer.channels, layer.filters, layer.side, layer.stride};
  }
  static void forward(const amx::Shape& shape, const Number* x, const Tensor& w, Number* y) {
    amx::forward(shape, x, w.data_ptr<float>(), y);
  }
  static void input_gradients(const amx::Shape& shape, const Number* dy, const Tensor& w, Number* dx) {
    amx::input_gradients(shape, dy, w.data_ptr<float>(), dx);
  }
  static void filter_gradients(const amx::Shape& shape, const Number* x, const Number* dy, float* dw) {
    amx::filter_gradients(shape, x, dy, dw);
  }
};

template <typename Ours>
void compare(const Layer& layer, int rounds, double peak) {
  using Number = typename Ours::Number;
  const std::int64_t n = layer.images, c = layer.channels, k = layer.filters, size = layer.size,
                     side = layer.side, stride = layer.stride;
  const auto shape = Ours::shape(layer);
  const amx::Shape sizes = InTiles::shape(layer);
  const std::int64_t out = sizes.out_height(), border = sizes.border();
  const auto last = torch::MemoryFormat::ChannelsLast;
  const auto kind = sizeof(Number) == sizeof(float) ? torch::kFloat32 : torch::kBFloat16;
  const Tensor x = torch::randn({n, c, size, size}).relu().to(kind).contiguous(last);
  const Tensor dy = torch::randn({n, k, out, out}).to(kind).contiguous(last);
  const auto fan = static_cast<double>(side * side * c);
  const Tensor w = (torch::randn({k, c, side, side}) / std::sqrt(fan / 2)).contiguous(last);
  const Tensor rounded = w.to(kind);
  Tensor y = torch::empty_like(dy), dx = torch::empty_like(x), dw = torch::empty({side, side, c, k});
  const auto data = [](const Tensor& tensor) { return static_cast<Number*>(tensor.data_ptr()); };
  const auto library = [&](bool input, bool weight) {
    return at::convolution_backward(dy, x, rounded, c10::nullopt, {stride, stride}, {border, border}, {1, 1},
                                    false, {0, 0}, 1, {input, weight, false});
  };
  const std::vector<std::function<void()>> works = {
      [&] {
        at::convolution(x, rounded, {}, {stride, stride}, {border, border}, {1, 1}, false, {0, 0}, 1);
      },
      [&] { Ours::forward(shape, data(x), w, data(y)); },
      [&] { library(true, false); },
      [&] { Ours::input_gradients(shape, data(dy), w, data(dx)); },
      [&] { library(false, true); },
      [&] { Ours::filter_gradients(shape, data(x), data(dy), dw.data_ptr<float>()); }};
  std::vector<std::vector<double>> seconds(works.size());
  for (const auto& work : works) work();
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < works.size(); ++i) seconds[i].push_back(seconds_of(works[i]));
  }
  const double gflop = 2e-9 * fan * static_cast<double>(n * out * out * k);
  const bool is_ours = stride == 1 ? glidepath::has_kernels(Ours::kKernels, c, k, kind == torch::kBFloat16)
                                   : amx::takes_strided(n, c, k);
  std::printf("| %lld -> %lld at %lld%s%s%s", static_cast<long long>(c), static_cast<long long>(k),
              static_cast<long long>(size), side == 1 ? ", 1x1" : "", stride == 1 ? "" : ", stride 2",
              is_ours ? "" : " (library by default)");
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

template <typename Ours>
int run(bool is_there, const std::function<double()>& peak_of_products, int threads, int rounds) {
  if (!is_there) {
    std::fputs("conv: this CPU has no kernels for it\n", stderr);
    return 1;
  }
  const double peak = peak_of_products();
  std::printf(
      "%d thread(s), peak of the products %.0f GFLOP/s; %d rounds in turn, medians: LibTorch -> ours "
      "(ratio), "
      "share of the peak\n\n| 128 images | forward | backward, inputs | backward, filters "
      "|\n|---|---|---|---|\n",
      threads, peak, rounds);
  std::vector<Layer> layers = {{128, 64, 64, 32},  {128, 128, 128, 16}, {128, 256, 256, 8},
                               {128, 512, 512, 4}, {128, 64, 256, 15},  {128, 256, 256, 15},
                               {128, 256, 256, 7}, {128, 256, 256, 3},  {128, 24, 64, 31},
                               {128, 64, 64, 8},   {128, 32, 32, 16},   {128, 16, 16, 32}};
  if (std::is_same_v<Ours, InTiles>) {
    for (const Layer& other : {Layer{128, 16, 16, 16},
                               {128, 16, 64, 32},
                               {128, 8, 8, 32},
                               {128, 3, 8, 32},
                               {128, 3, 16, 32},
                               {128, 3, 64, 32},
                               {128, 64, 128, 32, 3, 2},
                               {128, 128, 256, 16, 3, 2},
                               {128, 256, 512, 8, 3, 2},
                               {128, 32, 64, 16, 3, 2},
                               {128, 16, 32, 32, 3, 2},
                               {128, 64, 128, 32, 1, 2},
                               {128, 256, 512, 8, 1, 2}})
      layers.push_back(other);
  }
  for (const Layer& layer : layers) compare<Ours>(layer, rounds, peak);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : at::get_num_threads();
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  const std::string format = argc > 3 ? argv[3] : "fp32";
  if (threads < 1 || rounds < 1 || (format != "fp32" && format != "bf16" && format != "amx")) {
    std::fputs("conv [threads] [rounds] [fp32|bf16|amx]: both numbers 1 or more\n", stderr);
    return 2;
  }
  at::set_num_threads(threads);
  const at::NoGradGuard no_grad;
  if (format == "amx")
    return run<InTiles>(
        amx::is_there(), [&] { return peak_gflops_of_tiles(threads); }, threads, rounds);
  const auto with = [&](const auto* kernels) {
    using Number = typename std::decay_t<decltype(*kernels)>::Number;
    return run<ByWinograd<Number>>(
        kernels != nullptr, [&] { return peak_gflops(*kernels, threads); }, threads, rounds);
  };
  return format == "fp32" ? with(winograd::kernels_for(64)) : with(winograd::bf16_kernels());
}
