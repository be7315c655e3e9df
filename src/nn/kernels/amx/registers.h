// src/nn/kernels/amx/registers.h - steps of the loops on tiles, for the files that are compiled for AMX alone
// (winograd/tiles.h says why; so everything here is a file's own).
#pragma once
#include <immintrin.h>

#include "nn/kernels/amx/tiles.h"

namespace glidepath::amx {
namespace {

#define GLIDEPATH_ALWAYS inline __attribute__((always_inline))

constexpr std::int64_t kLineBytes = 64;

// Tiles 0 to 3 are sums, 4 and 5 what is multiplied from the left, 6 and 7 from the right.
GLIDEPATH_ALWAYS void multiply() {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}

GLIDEPATH_ALWAYS void clear_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}
/// Adds the products of two tiles, rows `bytes` apart, with two of full lines.
GLIDEPATH_ALWAYS void add_products(const Bf16* upper, const Bf16* lower, std::int64_t bytes, const Bf16* left,
                                   const Bf16* right) {
  _tile_loadd(4, upper, bytes);
  _tile_loadd(6, left, kLineBytes);
  _tile_loadd(7, right, kLineBytes);
  _tile_loadd(5, lower, bytes);
  multiply();
}
/// The four one after another.
GLIDEPATH_ALWAYS void store_in_turn(float* sums) {
  constexpr std::int64_t kSums = kRows * kRows;
  _tile_stored(0, sums, kLineBytes);
  _tile_stored(1, sums + kSums, kLineBytes);
  _tile_stored(2, sums + 2 * kSums, kLineBytes);
  _tile_stored(3, sums + 3 * kSums, kLineBytes);
}
/// The four as quarters of 32 x 32.
GLIDEPATH_ALWAYS void store_square(float* sums) {
  float* below = sums + kRows * kTogether;
  _tile_stored(0, sums, 2 * kLineBytes);
  _tile_stored(1, sums + kRows, 2 * kLineBytes);
  _tile_stored(2, below, 2 * kLineBytes);
  _tile_stored(3, below + kRows, 2 * kLineBytes);
}

GLIDEPATH_ALWAYS __m512i words_of(const Bf16* from) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
GLIDEPATH_ALWAYS __m512i pairs_of(__m512i first, __m512i second) {
  return _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
}

GLIDEPATH_ALWAYS __mmask16 first_of_row(std::int64_t count) {
  return static_cast<__mmask16>(count >= kRows ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}
GLIDEPATH_ALWAYS __mmask32 first_of_line(std::int64_t count) {
  return count >= kTogether ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
}
GLIDEPATH_ALWAYS __m512 load_first(std::int64_t count, const float* from) {
  return _mm512_maskz_loadu_ps(first_of_row(count), from);
}
/// To nearest, ties to even: first's 16 numbers, then second's.
GLIDEPATH_ALWAYS __m512i rounded(__m512 first, __m512 second) {
  return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}

/// Of the 64 x 16 sums.
GLIDEPATH_ALWAYS void round_sums(const float (&sums)[kGroup][kRows], Bf16* y) {
  for (std::int64_t i = 0; i < kGroup; i += 2)
    _mm512_store_si512(y + i * kRows, rounded(_mm512_load_ps(sums[i]), _mm512_load_ps(sums[i + 1])));
}

/// The 16 x 16 words of 16 registers, rows for columns.
GLIDEPATH_ALWAYS void transpose_words(__m512i (&r)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      r[4 * i + 2 * j] = _mm512_unpacklo_epi64(t[4 * i + j], t[4 * i + 2 + j]);
      r[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(t[4 * i + j], t[4 * i + 2 + j]);
    }
  }
  // r[4 i + c] has, in quarter q, the words 4 q + c of rows 4 i to 4 i + 3.
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
    t[4 + c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xDD);
    t[8 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
    t[12 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xDD);
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    r[c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0x88);
    r[4 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0x88);
    r[8 + c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0xDD);
    r[12 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0xDD);
  }
}

}  // namespace
}  // namespace glidepath::amx
