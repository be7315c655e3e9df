// src/nn/kernels/gelu_kernels.cpp - the loops of the Gaussian error linear unit, for each instruction set.
#include "nn/kernels/gelu_kernels.h"

#include "simd/clones.h"

namespace glidepath {
namespace {

/// e^x for x <= 0, to 1e-7 of it; about 1e-38 below -87. Source  Moshier's Cephes, expf.
GLIDEPATH_INLINE float exponential(float x) {
  constexpr float kLog2E = 1.44269504F, kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: what is added to it is rounded to a whole number
  x = x < -87.0F ? -87.0F : x;
  const float shifted = x * kLog2E + kRound, n = shifted - kRound;
  const float r = x - n * kLn2High - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127U) << 23;  // 2^n
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

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
