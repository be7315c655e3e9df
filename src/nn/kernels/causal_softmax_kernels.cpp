// src/nn/kernels/causal_softmax_kernels.cpp - the loops of causal_softmax(), for each instruction set.
#include "nn/kernels/causal_softmax_kernels.h"

#include <limits>

#include "nn/kernels/exponential.h"
#include "simd/clones.h"

namespace glidepath {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

/// In the lanes' order, so that vectors give what single numbers would.
GLIDEPATH_INLINE float sum_of(const float (&lanes)[kSoftmaxLanes]) {
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

template <typename T>
GLIDEPATH_INLINE void shares(const T* __restrict scores, float scale, std::int64_t seen, std::int64_t tokens,
                             float* __restrict room, T* __restrict y) {
  const std::int64_t filled = (seen + kSoftmaxLanes - 1) / kSoftmaxLanes * kSoftmaxLanes;
  for (std::int64_t i = 0; i < seen; ++i) room[i] = scale * to_float(scores[i]);
  for (std::int64_t i = seen; i < filled; ++i) room[i] = kLowest;  // adds 1e-38
  float most[kSoftmaxLanes], total[kSoftmaxLanes] = {};
  std::memcpy(most, room, sizeof most);
  for (std::int64_t i = kSoftmaxLanes; i < filled; i += kSoftmaxLanes) {
    for (std::int64_t j = 0; j < kSoftmaxLanes; ++j) most[j] = room[i + j] > most[j] ? room[i + j] : most[j];
  }
  float largest = most[0];
  for (const float lane : most) largest = lane > largest ? lane : largest;
  for (std::int64_t i = 0; i < filled; ++i) room[i] = exponential(room[i] - largest);
  for (std::int64_t i = 0; i < filled; i += kSoftmaxLanes) {
    for (std::int64_t j = 0; j < kSoftmaxLanes; ++j) total[j] += room[i + j];
  }
  const float share = 1.0F / sum_of(total);
  for (std::int64_t i = 0; i < seen; ++i) store_number(y + i, room[i] * share);
  for (std::int64_t i = seen; i < tokens; ++i) y[i] = T{0};
}

template <typename T>
GLIDEPATH_INLINE void gradients(const T* __restrict y, const T* __restrict dy, float scale, std::int64_t seen,
                                std::int64_t tokens, T* __restrict dx) {
  float lanes[kSoftmaxLanes] = {};
  std::int64_t i = 0;
  for (; i + kSoftmaxLanes <= seen; i += kSoftmaxLanes) {
    for (std::int64_t j = 0; j < kSoftmaxLanes; ++j) lanes[j] += to_float(y[i + j]) * to_float(dy[i + j]);
  }
  for (std::int64_t j = 0; i + j < seen; ++j) lanes[j] += to_float(y[i + j]) * to_float(dy[i + j]);
  const float mean = sum_of(lanes);
  for (std::int64_t k = 0; k < seen; ++k)
    store_number(dx + k, scale * to_float(y[k]) * (to_float(dy[k]) - mean));
  for (std::int64_t k = seen; k < tokens; ++k) dx[k] = T{0};
}

}  // namespace

// target_clones wants plain functions: one set for each element type.
#define GLIDEPATH_KERNELS(T)                                                                              \
  GLIDEPATH_CLONES void softmax_row(const T* scores, float scale, std::int64_t seen, std::int64_t tokens, \
                                    float* room, T* y) {                                                  \
    shares(scores, scale, seen, tokens, room, y);                                                         \
  }                                                                                                       \
  GLIDEPATH_CLONES void softmax_row_gradient(const T* y, const T* dy, float scale, std::int64_t seen,     \
                                             std::int64_t tokens, T* dx) {                                \
    gradients(y, dy, scale, seen, tokens, dx);                                                            \
  }
GLIDEPATH_KERNELS(float)
GLIDEPATH_KERNELS(Bf16)
#undef GLIDEPATH_KERNELS

}  // namespace glidepath
