// src/nn/kernels/max_pool_kernels.cpp - the loops of max-pooling, for each instruction set.
#include "nn/kernels/max_pool_kernels.h"

#include "simd/clones.h"

namespace glidepath {
namespace {

template <typename T>
GLIDEPATH_INLINE void largest(const T* __restrict a, const T* __restrict b, const T* __restrict c,
                              const T* __restrict d, T* __restrict y, std::uint8_t* __restrict which,
                              std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float values[4] = {to_float(a[i]), to_float(b[i]), to_float(c[i]), to_float(d[i])};
    float best = values[0];
    std::int32_t place = 0;
#pragma GCC unroll 3
    for (std::int32_t j = 1; j < 4; ++j) {
      // values[j] > best, or not a number: so said it becomes vectors, twice as fast as the plain comparison.
      const bool takes = !(values[j] <= best) && !(best != best && values[j] == values[j]);
      best = takes ? values[j] : best;
      place = takes ? j : place;
    }
    store_number(y + i, best);
    which[i] = static_cast<std::uint8_t>(place);
  }
}

template <typename T>
GLIDEPATH_INLINE void spread(const T* __restrict dy, const std::uint8_t* __restrict which, T* __restrict a,
                             T* __restrict b, T* __restrict c, T* __restrict d, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const T value = dy[i];
    const std::uint8_t place = which[i];
    a[i] = place == 0 ? value : T{0};
    b[i] = place == 1 ? value : T{0};
    c[i] = place == 2 ? value : T{0};
    d[i] = place == 3 ? value : T{0};
  }
}

}  // namespace

// target_clones wants plain functions: one set for each element type.
#define GLIDEPATH_KERNELS(T)                                                                             \
  GLIDEPATH_CLONES void largest_of_squares(const T* upper, const T* lower, T* y, std::uint8_t* which,    \
                                           std::int64_t columns, std::int64_t channels) {                \
    for (std::int64_t i = 0; i < columns; ++i, upper += 2 * channels, lower += 2 * channels) {           \
      largest(upper, upper + channels, lower, lower + channels, y + i * channels, which + i * channels,  \
              channels);                                                                                 \
    }                                                                                                    \
  }                                                                                                      \
  GLIDEPATH_CLONES void gradients_of_squares(const T* dy, const std::uint8_t* which, T* upper, T* lower, \
                                             std::int64_t columns, std::int64_t channels) {              \
    for (std::int64_t i = 0; i < columns; ++i, upper += 2 * channels, lower += 2 * channels) {           \
      spread(dy + i * channels, which + i * channels, upper, upper + channels, lower, lower + channels,  \
             channels);                                                                                  \
    }                                                                                                    \
  }
GLIDEPATH_KERNELS(float)
GLIDEPATH_KERNELS(Bf16)
#undef GLIDEPATH_KERNELS

}  // namespace glidepath
