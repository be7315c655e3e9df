// src/nn/kernels/batch_norm_kernels.cpp - the loops of batch norm over channels_last memory, for each
// instruction set.
#include "nn/kernels/batch_norm_kernels.h"

#include <algorithm>

#include "simd/clones.h"

namespace glidepath {
namespace {

template <typename T>
GLIDEPATH_INLINE void sum_tiles(const T* x, std::int64_t tile, std::int64_t tiles, const float* origin,
                                float* sum, float* square) {
  for (std::int64_t lane = 0; lane < tile; lane += kLanes) {
    float s[kLanes] = {}, q[kLanes] = {}, o[kLanes];
    std::memcpy(o, origin + lane, sizeof o);
    const T* row = x + lane;
    for (std::int64_t t = 0; t < tiles; ++t, row += tile) {
      for (std::int64_t j = 0; j < kLanes; ++j) {
        const float v = to_float(row[j]) - o[j];
        s[j] += v;
        q[j] += v * v;
      }
    }
    std::memcpy(sum + lane, s, sizeof s);
    std::memcpy(square + lane, q, sizeof q);
  }
}

template <typename T, bool kResidual, bool kRelu>
GLIDEPATH_INLINE void apply_tiles(const T* x, const T* residual, T* y, std::int64_t tile, std::int64_t count,
                                  const float* scale, const float* shift) {
  for (std::int64_t base = 0; base < count; base += tile) {
    const std::int64_t lanes = std::min(tile, count - base);
    for (std::int64_t j = 0; j < lanes; ++j) {
      float v = to_float(x[base + j]) * scale[j] + shift[j];
      if (kResidual) v += to_float(residual[base + j]);
      if (kRelu) v = v < 0.0F ? 0.0F : v;  // keeps NaN, so that a diverged run is seen
      store_number(y + base + j, v);
    }
  }
}

template <typename T, bool kRelu>
GLIDEPATH_INLINE void sum_gradients(const T* x, const T* y, const T* dy, std::int64_t tile,
                                    std::int64_t tiles, const float* mean, float* sum, float* product) {
  for (std::int64_t lane = 0; lane < tile; lane += kLanes) {
    float s[kLanes], q[kLanes], m[kLanes];
    std::memcpy(s, sum + lane, sizeof s);
    std::memcpy(q, product + lane, sizeof q);
    std::memcpy(m, mean + lane, sizeof m);
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t base = t * tile + lane;
      for (std::int64_t j = 0; j < kLanes; ++j) {
        float g = to_float(dy[base + j]);
        if (kRelu) g = to_float(y[base + j]) > 0.0F ? g : 0.0F;
        s[j] += g;
        q[j] += g * (to_float(x[base + j]) - m[j]);
      }
    }
    std::memcpy(sum + lane, s, sizeof s);
    std::memcpy(product + lane, q, sizeof q);
  }
}

template <typename T, bool kRelu, bool kResidual>
GLIDEPATH_INLINE void apply_gradients(const T* x, const T* y, const T* dy, T* dx, T* dresidual,
                                      std::int64_t tile, std::int64_t count, const float* a, const float* b,
                                      const float* c) {
  for (std::int64_t base = 0; base < count; base += tile) {
    const std::int64_t lanes = std::min(tile, count - base);
    for (std::int64_t j = 0; j < lanes; ++j) {
      float g = to_float(dy[base + j]);
      if (kRelu) g = to_float(y[base + j]) > 0.0F ? g : 0.0F;
      store_number(dx + base + j, a[j] * g + b[j] * to_float(x[base + j]) + c[j]);
      if (kResidual) store_number(dresidual + base + j, g);
    }
  }
}

}  // namespace

// target_clones wants plain functions: one set for each element type.
#define GLIDEPATH_KERNELS(T)                                                                              \
  GLIDEPATH_CLONES void input_sums(const T* x, std::int64_t tile, std::int64_t tiles,                     \
                                   const float* origin_lanes, float* sum_lanes, float* square_lanes) {    \
    sum_tiles<T>(x, tile, tiles, origin_lanes, sum_lanes, square_lanes);                                  \
  }                                                                                                       \
  GLIDEPATH_CLONES void normalise(const T* x, const T* residual, T* y, std::int64_t tile,                 \
                                  std::int64_t count, const float* scale_lanes, const float* shift_lanes, \
                                  bool relu) {                                                            \
    if (residual != nullptr && relu) {                                                                    \
      apply_tiles<T, true, true>(x, residual, y, tile, count, scale_lanes, shift_lanes);                  \
    } else if (residual != nullptr) {                                                                     \
      apply_tiles<T, true, false>(x, residual, y, tile, count, scale_lanes, shift_lanes);                 \
    } else if (relu) {                                                                                    \
      apply_tiles<T, false, true>(x, nullptr, y, tile, count, scale_lanes, shift_lanes);                  \
    } else {                                                                                              \
      apply_tiles<T, false, false>(x, nullptr, y, tile, count, scale_lanes, shift_lanes);                 \
    }                                                                                                     \
  }                                                                                                       \
  GLIDEPATH_CLONES void gradient_sums(const T* x, const T* y, const T* dy, std::int64_t tile,             \
                                      std::int64_t tiles, const float* mean_lanes, float* sum_lanes,      \
                                      float* product_lanes) {                                             \
    if (y != nullptr) {                                                                                   \
      sum_gradients<T, true>(x, y, dy, tile, tiles, mean_lanes, sum_lanes, product_lanes);                \
    } else {                                                                                              \
      sum_gradients<T, false>(x, y, dy, tile, tiles, mean_lanes, sum_lanes, product_lanes);               \
    }                                                                                                     \
  }                                                                                                       \
  GLIDEPATH_CLONES void gradients(const T* x, const T* y, const T* dy, T* dx, T* dresidual,               \
                                  std::int64_t tile, std::int64_t count, const float* a_lanes,            \
                                  const float* b_lanes, const float* c_lanes) {                           \
    if (y != nullptr && dresidual != nullptr) {                                                           \
      apply_gradients<T, true, true>(x, y, dy, dx, dresidual, tile, count, a_lanes, b_lanes, c_lanes);    \
    } else if (y != nullptr) {                                                                            \
      apply_gradients<T, true, false>(x, y, dy, dx, nullptr, tile, count, a_lanes, b_lanes, c_lanes);     \
    } else if (dresidual != nullptr) {                                                                    \
      apply_gradients<T, false, true>(x, y, dy, dx, dresidual, tile, count, a_lanes, b_lanes, c_lanes);   \
    } else {                                                                                              \
      apply_gradients<T, false, false>(x, y, dy, dx, nullptr, tile, count, a_lanes, b_lanes, c_lanes);    \
    }                                                                                                     \
  }
GLIDEPATH_KERNELS(float)
GLIDEPATH_KERNELS(Bf16)
#undef GLIDEPATH_KERNELS

}  // namespace glidepath
