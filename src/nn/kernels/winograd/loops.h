// src/nn/kernels/winograd/loops.h - the loops of kernels.h for vectors of kLanes floats. Included as tiles.h
// is.
#pragma once
#include "nn/kernels/winograd/tiles.h"
#include "nn/kernels/winograd/transforms.h"

namespace glidepath::winograd {
namespace {

template <int kLanes>
struct VectorOf {
  using Type [[gnu::vector_size(4 * kLanes)]] = float;
};
template <int kLanes>
using Vector = typename VectorOf<kLanes>::Type;

template <int kLanes>
inline __attribute__((always_inline)) Vector<kLanes> load(const float* from) {
  Vector<kLanes> value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}
template <int kLanes>
inline __attribute__((always_inline)) void store(float* to, Vector<kLanes> value) {
  __builtin_memcpy(to, &value, sizeof value);
}

/// Runs body(VectorOf<lanes>(), first) over `count` channels, the last by fewer lanes.
template <int kLanes, typename Body>
inline __attribute__((always_inline)) void over_channels(std::int64_t count, const Body& body) {
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) body(VectorOf<kLanes>(), c);
  if constexpr (kLanes > kGrain) {
    for (; c < count; c += kGrain) body(VectorOf<kGrain>(), c);
  }
}
template <int kLanes>
constexpr int lanes_of(VectorOf<kLanes> /*vector*/) {
  return kLanes;
}

alignas(64) const float kZeros[kMostChannels] = {};

constexpr std::int64_t kTile = FloatKernels::kTile, kPatch = FloatKernels::kPatch,
                       kPlaces = FloatKernels::kPlaces;

template <int kLanes>
void inputs(const Shape& shape, const float* x, TileRange range, float* v, std::int64_t stride) {
  for (std::int64_t t = 0; t < range.count; ++t) {
    const float* pixels[kPlaces];
    pixels_at<kPatch>(shape, x, shape.channels, place_of<kTile>(shape, range.first + t), -1, kZeros, pixels);
    float* row = v + t * shape.channels;
    over_channels<kLanes>(shape.channels, [&](auto vector, std::int64_t c) {
      constexpr int kWide = lanes_of(decltype(vector)());
      using T = Vector<kWide>;
      in_two_dimensions<6, 6, T>([&](int i) { return load<kWide>(pixels[i] + c); },
                                 [](const T(&d)[6], T(&out)[6]) { transform_input(d, out); },
                                 [&](int i, T value) { store<kWide>(row + i * stride + c, value); });
    });
  }
}

template <int kLanes, int kPanel>
void gradients(const Shape& shape, const float* dy, TileRange range, std::int64_t tiles, float* z,
               std::int64_t stride) {
  for (std::int64_t t = 0; t < range.count; ++t) {
    const float* pixels[kTile * kTile];
    pixels_at<kTile>(shape, dy, shape.filters, place_of<kTile>(shape, range.first + t), 0, kZeros, pixels);
    over_channels<kLanes>(shape.filters, [&](auto vector, std::int64_t k) {
      constexpr int kWide = lanes_of(decltype(vector)());
      using T = Vector<kWide>;
      float* to = z + (k / kPanel * tiles + t) * kPanel + k % kPanel;
      in_two_dimensions<4, 6, T>([&](int i) { return load<kWide>(pixels[i] + k); },
                                 [](const T(&d)[4], T(&out)[6]) { transform_gradient(d, out); },
                                 [&](int i, T value) { store<kWide>(to + i * stride, value); });
    });
  }
}

template <int kLanes, int kPanel>
void filters(const Shape& shape, const float* w, std::int64_t first, std::int64_t end, float* u) {
  for (std::int64_t panel = first; panel < end; ++panel) {
    const std::int64_t count = filters_in<kPanel>(shape, panel);
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const float* from = w + c * shape.filters + panel * kPanel;
      float* to = u + (panel * kPlaces * shape.channels + c) * kPanel;
      over_channels<kLanes>(count, [&](auto vector, std::int64_t k) {
        constexpr int kWide = lanes_of(decltype(vector)());
        using T = Vector<kWide>;
        in_two_dimensions<3, 6, T>(
            [&](int i) { return load<kWide>(from + i * shape.channels * shape.filters + k); },
            [](const T(&g)[3], T(&out)[6]) { transform_filter(g, out); },
            [&](int i, T value) { store<kWide>(to + i * shape.channels * kPanel + k, value); });
      });
      for (std::int64_t i = 0; i < kPlaces; ++i) {
        for (std::int64_t k = count; k < kPanel; ++k) to[i * shape.channels * kPanel + k] = 0;
      }
    }
  }
}

/// out[r][k] (+)= sum over i of a[r * a_row + i * a_step] b[i][k], r < kRows, k < 2 * kLanes.
template <int kLanes, int kRows, bool kAdd>
inline __attribute__((always_inline)) void product(const float* a, std::int64_t a_row, std::int64_t a_step,
                                                   std::int64_t terms, const float* b, float* out) {
  constexpr int kPanel = 2 * kLanes;
  using T = Vector<kLanes>;
  T left[kRows], right[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    left[r] = T{};
    right[r] = T{};
  }
  for (std::int64_t i = 0; i < terms; ++i, a += a_step, b += kPanel) {
    const T first = load<kLanes>(b), second = load<kLanes>(b + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const float factor = a[r * a_row];
      left[r] += factor * first;
      right[r] += factor * second;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    float *first = out + r * kPanel, *second = first + kLanes;
    store<kLanes>(first, kAdd ? load<kLanes>(first) + left[r] : left[r]);
    store<kLanes>(second, kAdd ? load<kLanes>(second) + right[r] : right[r]);
  }
}

template <int kLanes, int kRows>
void multiply(const float* v, std::int64_t tiles, std::int64_t channels, const float* u, float* m) {
  for (std::int64_t t = 0; t < tiles; t += kRows) {
    product<kLanes, kRows, false>(v + t * channels, channels, 1, channels, u, m + t * 2 * kLanes);
  }
}

template <int kLanes, int kRows>
void accumulate(const float* v, std::int64_t tiles, std::int64_t channels, const float* z, float* du) {
  constexpr int kPanel = 2 * kLanes, kFew = kRows % 4 == 0 ? 4 : 2;  // of multiples of 8, and of kRows
  std::int64_t c = 0;
  for (; c + kRows <= channels; c += kRows) {
    product<kLanes, kRows, true>(v + c, 1, channels, tiles, z, du + c * kPanel);
  }
  for (; c < channels; c += kFew) {
    product<kLanes, kFew, true>(v + c, 1, channels, tiles, z, du + c * kPanel);
  }
}

template <int kLanes>
void outputs(const Shape& shape, const float* m, TileRange range, std::int64_t panel, std::int64_t stride,
             float* y) {
  constexpr int kPanel = 2 * kLanes;
  const std::int64_t count = filters_in<kPanel>(shape, panel);
  float nowhere[kPanel];
  for (std::int64_t t = 0; t < range.count; ++t) {
    float* pixels[kTile * kTile];
    pixels_at<kTile>(shape, y + panel * kPanel, shape.filters, place_of<kTile>(shape, range.first + t), 0,
                     nowhere, pixels);
    over_channels<kLanes>(count, [&](auto vector, std::int64_t k) {
      constexpr int kWide = lanes_of(decltype(vector)());
      using T = Vector<kWide>;
      const float* from = m + t * kPanel + k;
      in_two_dimensions<6, 4, T>([&](int i) { return load<kWide>(from + i * stride); },
                                 [](const T(&products)[6], T(&out)[4]) { transform_output(products, out); },
                                 [&](int i, T value) { store<kWide>(pixels[i] + k, value); });
    });
  }
}

template <int kLanes>
void filter_gradients(const Shape& shape, const float* du, std::int64_t first, std::int64_t end, float* dw) {
  constexpr int kPanel = 2 * kLanes;
  for (std::int64_t panel = first; panel < end; ++panel) {
    const std::int64_t count = filters_in<kPanel>(shape, panel);
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const float* from = du + (panel * kPlaces * shape.channels + c) * kPanel;
      float* to = dw + c * shape.filters + panel * kPanel;
      over_channels<kLanes>(count, [&](auto vector, std::int64_t k) {
        constexpr int kWide = lanes_of(decltype(vector)());
        using T = Vector<kWide>;
        in_two_dimensions<6, 3, T>(
            [&](int i) { return load<kWide>(from + i * shape.channels * kPanel + k); },
            [](const T(&u)[6], T(&out)[3]) { transform_filter_gradient(u, out); },
            [&](int i, T value) { store<kWide>(to + i * shape.channels * shape.filters + k, value); });
      });
    }
  }
}

template <int kLanes, int kRows>
constexpr FloatKernels kernels_of() {
  constexpr int kPanel = 2 * kLanes;
  return {kRows,
          kPanel,
          1,
          1,
          &inputs<kLanes>,
          &inputs<kLanes>,
          &gradients<kLanes, kPanel>,
          &filters<kLanes, kPanel>,
          &multiply<kLanes, kRows>,
          &outputs<kLanes>,
          &accumulate<kLanes, kRows>,
          &filter_gradients<kLanes>};
}

}  // namespace
}  // namespace glidepath::winograd
