// src/nn/kernels/bf16.h - numbers that kernels read and write: float, and bfloat16 as its bits.
#pragma once
#include <cstdint>
#include <cstring>

namespace glidepath {

/// bfloat16 is the upper half of a float; kernels take it as its bits.
using Bf16 = std::uint16_t;

inline __attribute__((always_inline)) float to_float(float value) { return value; }
inline __attribute__((always_inline)) float to_float(Bf16 bf16) {
  const std::uint32_t bits = static_cast<std::uint32_t>(bf16) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline __attribute__((always_inline)) void store_number(float* to, float value) { *to = value; }
inline __attribute__((always_inline)) void store_number(Bf16* to, float value) {  // to nearest, ties to even
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  *to = static_cast<Bf16>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace glidepath
