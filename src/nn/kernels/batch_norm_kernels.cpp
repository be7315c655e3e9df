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

enum class Relu { kNone, kOfOutputs, kOfInputs };

/// g of the j-th element of a tile, the i-th from where x, dy and the outputs begin.
template <typename T, Relu kRelu>
GLIDEPATH_INLINE float passed_gradient(const T* x, const T* outputs, const T* dy, const float* scale,
                                       const float* shift, std::int64_t i, std::int64_t j) {
  const float g = to_float(dy[i]);
  if (kRelu == Relu::kOfOutputs) return to_float(outputs[i]) > 0.0F ? g : 0.0F;
  if (kRelu == Relu::kOfInputs) return to_float(x[i]) * scale[j] + shift[j] > 0.0F ? g : 0.0F;
  return g;
}

template <typename T, Relu kRelu>
GLIDEPATH_INLINE void sum_gradients(const T* x, const Passed<T>& passed, const T* dy, std::int64_t tile,
                                    std::int64_t tiles, const float* mean, float* sum, float* product) {
  for (std::int64_t lane = 0; lane < tile; lane += kLanes) {
    float s[kLanes], q[kLanes], m[kLanes], scale[kLanes] = {}, shift[kLanes] = {};
    std::memcpy(s, sum + lane, sizeof s);
    std::memcpy(q, product + lane, sizeof q);
    std::memcpy(m, mean + lane, sizeof m);
    if (kRelu == Relu::kOfInputs) {
      std::memcpy(scale, passed.scale_lanes + lane, sizeof scale);
      std::memcpy(shift, passed.shift_lanes + lane, sizeof shift);
    }
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t base = t * tile + lane;
      for (std::int64_t j = 0; j < kLanes; ++j) {
        const float g = passed_gradient<T, kRelu>(x, passed.outputs, dy, scale, shift, base + j, j);
        s[j] += g;
        q[j] += g * (to_float(x[base + j]) - m[j]);
      }
    }
    std::memcpy(sum + lane, s, sizeof s);
    std::memcpy(product + lane, q, sizeof q);
  }
}

template <typename T, Relu kRelu, bool kResidual>
GLIDEPATH_INLINE void apply_gradients(const T* x, const Passed<T>& passed, const T* dy, T* dx, T* dresidual,
                                      std::int64_t tile, std::int64_t count, const float* a, const float* b,
                                      const float* c) {
  const T* outputs = passed.outputs;
  const float *scale = passed.scale_lanes, *shift = passed.shift_lanes;
  for (std::int64_t base = 0; base < count; base += tile) {
    const std::int64_t lanes = std::min(tile, count - base);
    for (std::int64_t j = 0; j < lanes; ++j) {
      const float g = passed_gradient<T, kRelu>(x, outputs, dy, scale, shift, base + j, j);
      store_number(dx + base + j, a[j] * g + b[j] * to_float(x[base + j]) + c[j]);
      if (kResidual) store_number(dresidual + base + j, g);
    }
  }
}

}  // namespace

// target_clones wants plain functions: one set for each element type.
#define GLIDEPATH_KERNELS(T)                                                                                \
  GLIDEPATH_CLONES void input_sums(const T* x, std::int64_t tile, std::int64_t tiles,                       \
                                   const float* origin_lanes, float* sum_lanes, float* square_lanes) {      \
    sum_tiles<T>(x, tile, tiles, origin_lanes, sum_lanes, square_lanes);                                    \
  }                                                                                                         \
  GLIDEPATH_CLONES void normalise(const T* x, const T* residual, T* y, std::int64_t tile,                   \
                                  std::int64_t count, const float* scale_lanes, const float* shift_lanes,   \
                                  bool relu) {                                                              \
    if (residual != nullptr && relu) {                                                                      \
      apply_tiles<T, true, true>(x, residual, y, tile, count, scale_lanes, shift_lanes);                    \
    } else if (residual != nullptr) {                                                                       \
      apply_tiles<T, true, false>(x, residual, y, tile, count, scale_lanes, shift_lanes);                   \
    } else if (relu) {                                                                                      \
      apply_tiles<T, false, true>(x, nullptr, y, tile, count, scale_lanes, shift_lanes);                    \
    } else {                                                                                                \
      apply_tiles<T, false, false>(x, nullptr, y, tile, count, scale_lanes, shift_lanes);                   \
    }                                                                                                       \
  }                                                                                                         \
  GLIDEPATH_CLONES void gradient_sums(const T* x, const Passed<T>& passed, const T* dy, std::int64_t tile,  \
                                      std::int64_t tiles, const float* mean_lanes, float* sum_lanes,        \
                                      float* product_lanes) {                                               \
    if (passed.outputs != nullptr) {                                                                        \
      sum_gradients<T, Relu::kOfOutputs>(x, passed, dy, tile, tiles, mean_lanes, sum_lanes, product_lanes); \
    } else if (passed.scale_lanes != nullptr) {                                                             \
      sum_gradients<T, Relu::kOfInputs>(x, passed, dy, tile, tiles, mean_lanes, sum_lanes, product_lanes);  \
    } else {                                                                                                \
      sum_gradients<T, Relu::kNone>(x, passed, dy, tile, tiles, mean_lanes, sum_lanes, product_lanes);      \
    }                                                                                                       \
  }                                                                                                         \
  GLIDEPATH_CLONES void gradients(const T* x, const Passed<T>& passed, const T* dy, T* dx, T* dresidual,    \
                                  std::int64_t tile, std::int64_t count, const float* a, const float* b,    \
                                  const float* c) {                                                         \
    if (passed.outputs != nullptr && dresidual != nullptr) {                                                \
      apply_gradients<T, Relu::kOfOutputs, true>(x, passed, dy, dx, dresidual, tile, count, a, b, c);       \
    } else if (passed.outputs != nullptr) {                                                                 \
      apply_gradients<T, Relu::kOfOutputs, false>(x, passed, dy, dx, nullptr, tile, count, a, b, c);        \
    } else if (passed.scale_lanes != nullptr) {                                                             \
      apply_gradients<T, Relu::kOfInputs, false>(x, passed, dy, dx, nullptr, tile, count, a, b, c);         \
    } else if (dresidual != nullptr) {                                                                      \
      apply_gradients<T, Relu::kNone, true>(x, passed, dy, dx, dresidual, tile, count, a, b, c);            \
    } else {                                                                                                \
      apply_gradients<T, Relu::kNone, false>(x, passed, dy, dx, nullptr, tile, count, a, b, c);             \
    }                                                                                                       \
  }
GLIDEPATH_KERNELS(float)
GLIDEPATH_KERNELS(Bf16)
#undef GLIDEPATH_KERNELS

}  // namespace glidepath
