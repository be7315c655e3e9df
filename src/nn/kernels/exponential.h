// src/nn/kernels/exponential.h - e^x in loops that the compiler turns into vectors.
#pragma once
#include <cstdint>
#include <cstring>

#include "simd/clones.h"

namespace glidepath {

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

}  // namespace glidepath
