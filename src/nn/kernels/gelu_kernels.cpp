// src/nn/kernels/gelu_kernels.cpp - the loops of the Gaussian error linear unit, for each instruction set.
#include "nn/kernels/gelu_kernels.h"

#include "nn/kernels/exponential.h"
#include "simd/clones.h"

namespace glidepath {
namespace {

struct Normal {
  float distribution, density;
};

/// The tail by Hastings' formula. Source  Abramowitz & Stegun, 7.1.26.
GLIDEPATH_INLINE Normal normal_at(float x) {
  constexpr float kRootHalf = 0.707106781F, kRootTwoPi = 0.398942280F;
  const float size = x < 0.0F ? -x : x;
  const float e = exponential(-0.5F * x * x);
  const float t = 1.0F / (1.0F + 0.3275911F * kRootHalf * size);
  float p = 1.061405429F;
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const float tail = 0.5F * p * t * e;
  return {x < 0.0F ? tail : 1.0F - tail, e * kRootTwoPi};
}

template <typename T>
GLIDEPATH_INLINE void values(const T* __restrict x, T* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = to_float(x[i]);
    store_number(y + i, v * normal_at(v).distribution);
  }
}

template <typename T>
GLIDEPATH_INLINE void gradients(const T* __restrict x, const T* __restrict dy, T* __restrict dx,
                                std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = to_float(x[i]);
    const Normal normal = normal_at(v);
    store_number(dx + i, to_float(dy[i]) * (normal.distribution + v * normal.density));
  }
}

}  // namespace

GLIDEPATH_CLONES void gelu_values(const float* x, float* y, std::int64_t count) { values(x, y, count); }
GLIDEPATH_CLONES void gelu_values(const Bf16* x, Bf16* y, std::int64_t count) { values(x, y, count); }
GLIDEPATH_CLONES void gelu_gradients(const float* x, const float* dy, float* dx, std::int64_t count) {
  gradients(x, dy, dx, count);
}
GLIDEPATH_CLONES void gelu_gradients(const Bf16* x, const Bf16* dy, Bf16* dx, std::int64_t count) {
  gradients(x, dy, dx, count);
}

}  // namespace glidepath
