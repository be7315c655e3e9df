// src/nn/kernels/winograd/winograd.cpp - 3x3 convolutions, divided into blocks of tiles that fit the caches.
#include "nn/kernels/winograd/winograd.h"

#include <algorithm>

#include "nn/kernels/filter_sums.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/scratch.h"

namespace glidepath::winograd {
namespace {

// Bytes of a block's transformed inputs and of a panel's products with them: they stay in a core's second
// cache while all filters pass by.
constexpr std::int64_t kBlockBytes = 512 * 1024;
// Bytes of a block's transformed inputs and gradients, which all cores share.
constexpr std::int64_t kGradientBytes = 1024 * 1024;
// Tiles that are worth sums of filters of their own.
constexpr std::int64_t kTilesOfChunk = 192;
// The same place of neighbouring transformed values would fall into the same few lines of the first cache.
constexpr std::int64_t kShift = 16;

template <typename K>
std::int64_t panels_of(const Shape& shape, const K& kernels) {
  return (shape.filters + kernels.panel - 1) / kernels.panel;
}

template <typename K>
std::int64_t tiles_of(const Shape& shape) {
  const auto tiles_along = [](std::int64_t length) { return (length + K::kTile - 1) / K::kTile; };
  return shape.images * tiles_along(shape.height) * tiles_along(shape.width);
}

/// Of `in_all` tiles, at most `most` at a time, in pieces that are about equal and multiples of `rows`.
std::int64_t tiles_in_block(std::int64_t in_all, std::int64_t most, std::int64_t rows) {
  const std::int64_t blocks = (in_all + most - 1) / most;
  return rounded_up((in_all + blocks - 1) / blocks, rows);
}

template <typename K>
void convolve(const K& kernels, const Shape& shape, const typename K::Number* x, const float* w,
              typename K::Number* y) {
  using Number = typename K::Number;
  const std::int64_t channels = rounded_up(shape.channels, kernels.channels_together);
  const std::int64_t panels = panels_of(shape, kernels), of_panel = K::kPlaces * channels * kernels.panel;
  static thread_local Scratch<Number> filters;
  Number* u = filters.get(panels * of_panel);
  parallel_ranges(panels, 1,
                  [&](std::int64_t first, std::int64_t end) { kernels.filters(shape, w, first, end, u); });

  const std::int64_t tiles = tiles_of<K>(shape);
  const std::int64_t of_tile =
      K::kPlaces * (channels * std::int64_t{sizeof(Number)} + kernels.panel * std::int64_t{sizeof(float)});
  const std::int64_t block =
      tiles_in_block(tiles, std::max(2 * kernels.rows, kBlockBytes / of_tile), kernels.rows);
  const std::int64_t blocks = (tiles + block - 1) / block;
  const std::int64_t v_stride = block * channels + kShift, m_stride = block * kernels.panel + kShift;
  parallel_ranges(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Scratch<Number> transformed;
    static thread_local Scratch<float> products;
    Number* v = transformed.get(K::kPlaces * v_stride);
    float* m = products.get(K::kPlaces * m_stride);
    for (std::int64_t i = begin; i < end; ++i) {
      const TileRange range{i * block, std::min(block, tiles - i * block)};
      kernels.inputs(shape, x, range, v, v_stride);
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        const Number* of_places = u + panel * of_panel;
        for (std::int64_t place = 0; place < K::kPlaces; ++place) {
          kernels.multiply(v + place * v_stride, rounded_up(range.count, kernels.rows), channels,
                           of_places + place * channels * kernels.panel, m + place * m_stride);
        }
        kernels.outputs(shape, m, range, panel, m_stride, y);
      }
    }
  });
}

/// du[panel][place][c][k], added up over tiles, block after block in order.
template <typename K>
class FilterSums {
 public:
  using Number = typename K::Number;

  FilterSums(const K& kernels, const Shape& shape, const Number* x, const Number* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        kernels_(kernels),
        panels_(panels_of(shape, kernels_)),
        channels_(rounded_up(shape.channels, kernels.channels_together)),
        of_place_(channels_ * kernels_.panel) {}

  std::int64_t floats() const { return panels_ * K::kPlaces * of_place_; }

  /// Of tiles [begin, end), whose transforms, and then whose products, are done by divide(count, grain,
  /// body).
  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* du, const Divide& divide) const {
    static thread_local Scratch<Number> inputs, gradients;
    const std::int64_t filled = panels_ * kernels_.panel, together = kernels_.tiles_together;
    const std::int64_t of_tile = K::kPlaces * (channels_ + filled) * std::int64_t{sizeof(Number)};
    const std::int64_t block =
        tiles_in_block(end - begin, std::max<std::int64_t>(48, kGradientBytes / of_tile), together);
    const std::int64_t v_stride = block * channels_ + kShift, z_stride = block * filled + kShift;
    Number* v = inputs.get(K::kPlaces * v_stride);
    Number* z = gradients.get(K::kPlaces * z_stride);
    std::fill_n(du, floats(), 0.0F);
    for (std::int64_t first = begin; first < end; first += block) {
      const std::int64_t count = std::min(block, end - first), in_all = rounded_up(count, together);
      divide(in_all / together, 4, [&](std::int64_t from_group, std::int64_t to_group) {
        const std::int64_t from = from_group * together, to = std::min(count, to_group * together);
        const TileRange some{first + from, to - from};
        kernels_.inputs_to_sum(shape_, x_, some, v + from * channels_, v_stride);
        kernels_.gradients(shape_, dy_, some, in_all, z + from * kernels_.panel, z_stride);
      });
      divide(panels_ * K::kPlaces, 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) {
          const std::int64_t place = i / panels_, panel = i % panels_;
          kernels_.accumulate(v + place * v_stride, in_all, channels_,
                              z + place * z_stride + panel * in_all * kernels_.panel,
                              du + (panel * K::kPlaces + place) * of_place_);
        }
      });
    }
  }

  void write(const float* du, float* dw) const {
    parallel_ranges(panels_, 1, [&](std::int64_t begin, std::int64_t end) {
      kernels_.filter_gradients(shape_, du, begin, end, dw);
    });
  }

 private:
  Shape shape_;
  const Number *x_, *dy_;
  const K& kernels_;
  std::int64_t panels_, channels_, of_place_;
};

template <typename K>
void sum_filter_gradients(const K& kernels, const Shape& shape, const typename K::Number* x,
                          const typename K::Number* dy, float* dw) {
  sum_in_chunks(FilterSums<K>(kernels, shape, x, dy), tiles_of<K>(shape), kTilesOfChunk, dw);
}

}  // namespace

const FloatKernels* kernels_for(std::int64_t filters) {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0 && avx512_kernels() != nullptr;
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  const bool is_wide = filters > 16;
  if (has_avx512 && is_wide) return avx512_kernels();
  if (has_avx2) return avx2_kernels();
#endif
  (void)filters;
  return nullptr;
}

const Bf16Kernels* bf16_kernels() {
#if defined(__x86_64__) && defined(__GNUC__)
  static const bool has_bf16 =
      __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  if (has_bf16) return avx512_bf16_kernels();
#endif
  return nullptr;
}

bool takes(const Shape& shape) {
  return shape.images > 0 && fits_grain(shape.channels) && fits_grain(shape.filters);
}

void forward(const Shape& shape, const float* x, const float* w, float* y) {
  convolve(*kernels_for(shape.filters), shape, x, w, y);
}
void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y) {
  convolve(*bf16_kernels(), shape, x, w, y);
}

void filter_gradients(const Shape& shape, const float* x, const float* dy, float* dw) {
  sum_filter_gradients(*kernels_for(shape.filters), shape, x, dy, dw);
}
void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw) {
  sum_filter_gradients(*bf16_kernels(), shape, x, dy, dw);
}

}  // namespace glidepath::winograd
