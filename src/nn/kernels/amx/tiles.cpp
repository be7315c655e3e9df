// src/nn/kernels/amx/tiles.cpp - the loops, compiled for AMX alone and without a header that others share
// (winograd/tiles.h says why).
#include "nn/kernels/amx/tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

namespace glidepath::amx {
namespace {

#define GLIDEPATH_ALWAYS inline __attribute__((always_inline))

constexpr std::int64_t kLineBytes = 64;

/// What LDTILECFG reads.
struct alignas(64) Configuration {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

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

bool are_built() { return true; }

Tiles::Tiles() {
  static const Configuration configuration;
  _tile_loadconfig(&configuration);
}
Tiles::~Tiles() { _tile_release(); }

void pack_filters(const float* w, std::int64_t taps, std::int64_t channels, std::int64_t filters,
                  std::int64_t block, Bf16* u) {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t c = 0; c < channels; c += kTogether) {
      for (std::int64_t k = block * kTogether; k < (block + 1) * kTogether; k += kRows, u += kOfTile) {
        __m512i rows[16];  // of filters, in words of two channels
        for (std::int64_t i = 0; i < kRows; ++i) {
          const float* from = w + ((k + i) * taps + tap) * channels + c;
          rows[i] = k + i < filters ? rounded(load_first(channels - c, from),
                                              load_first(channels - c - kRows, from + kRows))
                                    : _mm512_setzero_si512();
        }
        transpose_words(rows);
        for (std::int64_t i = 0; i < kRows; ++i) _mm512_store_si512(u + i * kTogether, rows[i]);
      }
    }
  }
}

void pack_turned(const float* w, std::int64_t taps, std::int64_t channels, std::int64_t filters,
                 std::int64_t block, Bf16* u) {
  for (std::int64_t tap = taps - 1; tap >= 0; --tap) {
    for (std::int64_t k = 0; k < filters; k += kTogether) {
      for (std::int64_t c = block * kTogether; c < (block + 1) * kTogether; c += kRows) {
        for (std::int64_t pair = k; pair < k + kTogether; pair += 2, u += kTogether) {
          const auto words_at = [&](std::int64_t filter) {
            if (filter >= filters) return _mm512_setzero_si512();
            const __m512 numbers = load_first(channels - c, w + (filter * taps + tap) * channels + c);
            return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(numbers));
          };
          _mm512_store_si512(u, pairs_of(words_at(pair), words_at(pair + 1)));
        }
      }
    }
  }
}

void convolve(std::int64_t channels, std::int64_t row, const Bf16* x, std::int64_t tiles,
              const std::int32_t* starts, const Bf16* u, const std::int32_t* where, std::int64_t block,
              std::int64_t filters, Bf16* y) {
  alignas(64) float sums[kTogether][kTogether];
  const std::int64_t bytes = channels * std::int64_t{sizeof(Bf16)};
  const __mmask32 mask = first_of_line(filters - block * kTogether);
  y += block * kTogether;
  for (std::int64_t tile = 0; tile < tiles; tile += 2, where += kTogether) {
    const Bf16 *upper = x + starts[tile] * channels, *lower = x + starts[tile + 1] * channels;
    clear_sums();
    const Bf16* of_step = u;
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      const std::int64_t at = (tap / 3 * row + tap % 3) * channels;
      for (std::int64_t c = at; c < at + channels; c += kTogether, of_step += 2 * kOfTile)
        add_products(upper + c, lower + c, bytes, of_step, of_step + kOfTile);
    }
    store_square(sums[0]);
    for (std::int64_t i = 0; i < kTogether; ++i) {
      if (where[i] < 0) continue;
      _mm512_mask_storeu_epi16(y + where[i] * filters, mask,
                               rounded(_mm512_load_ps(sums[i]), _mm512_load_ps(sums[i] + kRows)));
    }
  }
}

void spread(const Bf16* x, std::int64_t channels, std::int64_t width, std::int64_t stride, Bf16* to) {
  for (std::int64_t pixel = 0; pixel < width; ++pixel, x += channels, to += stride) {
    for (std::int64_t c = 0; c < channels; c += kTogether)
      _mm512_store_si512(to + c, _mm512_maskz_loadu_epi16(first_of_line(channels - c), x + c));
  }
}

namespace {

/// A pixel of all images, or of the first 16.
template <bool kBoth>
GLIDEPATH_ALWAYS void add_pixel(const Bf16* x, std::int64_t channels, const Bf16* u) {
  const std::int64_t bytes = channels * std::int64_t{sizeof(Bf16)};
  for (std::int64_t c = 0; c < channels; c += kTogether, u += 2 * kOfTile) {
    if (kBoth) {
      add_products(x + c, x + kRows * channels + c, bytes, u, u + kOfTile);
      continue;
    }
    _tile_loadd(4, x + c, bytes);
    _tile_loadd(6, u, kLineBytes);
    _tile_loadd(7, u + kOfTile, kLineBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
  }
}

template <bool kBoth>
void convolve_images(const InputRow* rows, std::int64_t count, const Reach* columns, std::int64_t width,
                     std::int64_t channels, std::int64_t block, const Images& images, Bf16* y) {
  alignas(64) float sums[kTogether][kTogether];
  const __mmask32 mask = first_of_line(images.filters - block * kTogether);
  y += block * kTogether;
  for (std::int64_t pixel = 0; pixel < width; ++pixel, y += images.filters) {
    const Reach& reach = columns[pixel];
    clear_sums();
    for (std::int64_t row = 0; row < count; ++row) {
      for (std::int64_t i = 0; i < reach.count; ++i) {
        add_pixel<kBoth>(rows[row].x + reach.inputs[i] * kTogether * channels, channels,
                         rows[row].u + reach.taps[i] * kTogether * channels);
      }
    }
    store_square(sums[0]);
    for (std::int64_t i = 0; i < images.count; ++i)
      _mm512_mask_storeu_epi16(y + i * images.of_image, mask,
                               rounded(_mm512_load_ps(sums[i]), _mm512_load_ps(sums[i] + kRows)));
  }
}

}  // namespace

void convolve_row(const InputRow* rows, std::int64_t count, const Reach* columns, std::int64_t width,
                  std::int64_t channels, std::int64_t block, const Images& images, Bf16* y) {
  const auto convolve = images.count > kRows ? convolve_images<true> : convolve_images<false>;
  convolve(rows, count, columns, width, channels, block, images, y);
}

void convolve_rows(const Bf16* x, std::int64_t stride, const std::int64_t* offsets, std::int64_t steps,
                   const Bf16* u, std::int64_t groups, Bf16* y) {
  alignas(64) float sums[kGroup][kRows];
  const std::int64_t bytes = stride * std::int64_t{sizeof(Bf16)}, of_tile = kRows * stride;
  for (std::int64_t group = 0; group < groups; ++group, x += 4 * of_tile, y += kGroup * kRows) {
    clear_sums();
    for (std::int64_t step = 0; step < steps; ++step) {
      const Bf16* from = x + offsets[step];
      _tile_loadd(6, u + step * kOfTile, kLineBytes);
      _tile_loadd(4, from, bytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(5, from + of_tile, bytes);
      _tile_dpbf16ps(1, 5, 6);
      _tile_loadd(4, from + 2 * of_tile, bytes);
      _tile_dpbf16ps(2, 4, 6);
      _tile_loadd(5, from + 3 * of_tile, bytes);
      _tile_dpbf16ps(3, 5, 6);
    }
    store_in_turn(sums[0]);
    round_sums(sums, y);
  }
}

void convolve_rows_twice(const Bf16* x, std::int64_t stride, const std::int64_t* offsets, std::int64_t steps,
                         const Bf16* u, std::int64_t groups, Bf16* y) {
  alignas(64) float sums[kGroup][kRows];
  const std::int64_t bytes = stride * std::int64_t{sizeof(Bf16)}, of_tile = kRows * stride;
  for (std::int64_t group = 0; group < groups; ++group, x += 2 * of_tile, y += kGroup * kRows) {
    clear_sums();
    for (std::int64_t step = 0; step < steps; ++step) {
      const Bf16 *from = x + offsets[step], *of_step = u + 2 * step * kOfTile;
      add_products(from, from + of_tile, bytes, of_step, of_step + kOfTile);
    }
    store_square(sums[0]);
    round_sums(sums, y);
  }
}

void transpose(const Bf16* x, std::int64_t stride, Bf16* tile) {
  __m512i rows[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    rows[i] = pairs_of(words_of(x + 2 * i * stride), words_of(x + (2 * i + 1) * stride));
  transpose_words(rows);
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_store_si512(tile + i * kTogether, rows[i]);
}

void pair_up(const Bf16* x, std::int64_t stride, std::int64_t pairs, Bf16* rows) {
  for (std::int64_t i = 0; i < pairs; ++i, x += 2 * stride, rows += kTogether)
    _mm512_store_si512(rows, pairs_of(words_of(x), words_of(x + stride)));
}

namespace {

/// Pairs of images, the first 16 channels and the others.
GLIDEPATH_ALWAYS void load_pairs(const Bf16* x, std::int64_t stride, std::uint32_t which,
                                 std::int64_t channels, __m512i (&first)[16], __m512i (&second)[16]) {
  const __mmask32 mask = first_of_line(channels);
  const auto image = [&](std::int64_t i) {
    return (which >> i & 1) != 0 ? _mm512_maskz_loadu_epi16(mask, x + i * stride) : _mm512_setzero_si512();
  };
  alignas(64) static constexpr std::uint16_t kFirst[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                           37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                           11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i of_first = _mm512_load_si512(kFirst),
                of_second = _mm512_add_epi16(of_first, _mm512_set1_epi16(16));
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    const __m512i even = image(2 * i), odd = image(2 * i + 1);
    first[i] = _mm512_permutex2var_epi16(even, of_first, odd);
    second[i] = _mm512_permutex2var_epi16(even, of_second, odd);
  }
}
GLIDEPATH_ALWAYS void store_tile(const __m512i (&rows)[16], Bf16* tile) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) _mm512_store_si512(tile + i * kTogether, rows[i]);
}

}  // namespace

void transpose_images(const Bf16* x, std::int64_t stride, std::uint32_t which, std::int64_t channels,
                      Bf16* upper, Bf16* lower) {
  __m512i first[16], second[16];
  load_pairs(x, stride, which, channels, first, second);
  transpose_words(first);
  store_tile(first, upper);
  transpose_words(second);
  store_tile(second, lower);
}

void pair_images(const Bf16* x, std::int64_t stride, std::uint32_t which, std::int64_t channels, Bf16* upper,
                 Bf16* lower) {
  __m512i first[16], second[16];
  load_pairs(x, stride, which, channels, first, second);
  store_tile(first, upper);
  store_tile(second, lower);
}

namespace {

// Pixels of a line are in tiles 3, 4, 5 in turn, so that each is loaded once for three products: with the
// pixel to its right, its own and the one to its left.
#define GLIDEPATH_ADD_SHIFTS(left, own, right) \
  _tile_loadd(6, columns, kLineBytes);         \
  _tile_loadd(right, rows, kLineBytes);        \
  _tile_dpbf16ps(0, left, 6);                  \
  _tile_dpbf16ps(1, own, 6);                   \
  _tile_dpbf16ps(2, right, 6)

GLIDEPATH_ALWAYS void accumulate_line(const Bf16* rows, const Bf16* columns, std::int64_t pixels) {
  _tile_loadd(3, rows, kLineBytes);
  _tile_loadd(6, columns, kLineBytes);
  _tile_dpbf16ps(1, 3, 6);
  if (pixels == 1) return;
  rows += kOfTile;
  columns += kOfTile;
  _tile_loadd(4, rows, kLineBytes);
  _tile_dpbf16ps(2, 4, 6);
  const Bf16* const last = rows + (pixels - 2) * kOfTile;
  int own = 1;  // of the three
  while (rows != last) {
    rows += kOfTile;
    if (own == 0) {
      GLIDEPATH_ADD_SHIFTS(5, 3, 4);
    } else if (own == 1) {
      GLIDEPATH_ADD_SHIFTS(3, 4, 5);
    } else {
      GLIDEPATH_ADD_SHIFTS(4, 5, 3);
    }
    own = own == 2 ? 0 : own + 1;
    columns += kOfTile;
  }
  _tile_loadd(6, columns, kLineBytes);
  if (own == 0) {
    _tile_dpbf16ps(0, 5, 6);
    _tile_dpbf16ps(1, 3, 6);
  } else if (own == 1) {
    _tile_dpbf16ps(0, 3, 6);
    _tile_dpbf16ps(1, 4, 6);
  } else {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 5, 6);
  }
}

/// Of every second input, the one before and the one after it.
GLIDEPATH_ALWAYS void accumulate_every_second(const Bf16* rows, std::int64_t inputs, const Bf16* columns,
                                              std::int64_t pixels) {
  for (std::int64_t i = 0; i < pixels; ++i, rows += 2 * kOfTile, columns += kOfTile) {
    _tile_loadd(6, columns, kLineBytes);
    _tile_loadd(4, rows, kLineBytes);
    if (i > 0) _tile_dpbf16ps(0, 5, 6);
    _tile_dpbf16ps(1, 4, 6);
    if (2 * i + 1 == inputs) return;
    _tile_loadd(5, rows + kOfTile, kLineBytes);
    _tile_dpbf16ps(2, 5, 6);
  }
}

/// line(inputs, gradients) for each line.
template <typename Line>
GLIDEPATH_ALWAYS void for_lines(const Bf16* inputs, const Bf16* gradients, const Walk& walk,
                                const Line& line) {
  for (std::int64_t group = 0; group < walk.groups; ++group) {
    for (std::int64_t i = 0; i < walk.lines; ++i) {
      line(inputs + group * walk.of_group_of_inputs + i * walk.of_line_of_inputs,
           gradients + group * walk.of_group_of_gradients + i * walk.of_line_of_gradients);
    }
  }
}

}  // namespace

void accumulate_shifts(const Bf16* inputs, const Bf16* gradients, const Walk& walk, std::int64_t stride,
                       float* sums) {
  constexpr std::int64_t kSums = kRows * kRows;
  _tile_loadd(0, sums, kLineBytes);
  _tile_loadd(1, sums + kSums, kLineBytes);
  _tile_loadd(2, sums + 2 * kSums, kLineBytes);
  for_lines(inputs, gradients, walk, [&](const Bf16* rows, const Bf16* columns) {
    if (stride == 1) return accumulate_line(rows, columns, walk.gradients);
    accumulate_every_second(rows, walk.inputs, columns, walk.gradients);
  });
  _tile_stored(0, sums, kLineBytes);
  _tile_stored(1, sums + kSums, kLineBytes);
  _tile_stored(2, sums + 2 * kSums, kLineBytes);
}

void accumulate_places(const Bf16* inputs, const Bf16* gradients, const Walk& walk, float* sums) {
  _tile_loadd(0, sums, kLineBytes);
  for_lines(inputs, gradients, walk, [&](const Bf16* rows, const Bf16* columns) {
    for (std::int64_t i = 0; i < walk.gradients * kOfTile; i += kOfTile) {
      _tile_loadd(4, rows + i, kLineBytes);
      _tile_loadd(6, columns + i, kLineBytes);
      _tile_dpbf16ps(0, 4, 6);
    }
  });
  _tile_stored(0, sums, kLineBytes);
}

void accumulate_three(const Bf16* rows, const Bf16* const (&columns)[3], std::int64_t steps, float* sums) {
  constexpr std::int64_t kSums = kRows * kRows;
  _tile_loadd(0, sums, kLineBytes);
  _tile_loadd(1, sums + kSums, kLineBytes);
  _tile_loadd(2, sums + 2 * kSums, kLineBytes);
  for (std::int64_t i = 0; i < steps; ++i) {
    _tile_loadd(4, rows + i * kOfTile, kLineBytes);
    _tile_loadd(5, columns[0] + i * kOfTile, kLineBytes);
    _tile_loadd(6, columns[1] + i * kOfTile, kLineBytes);
    _tile_loadd(7, columns[2] + i * kOfTile, kLineBytes);
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 6);
    _tile_dpbf16ps(2, 4, 7);
  }
  _tile_stored(0, sums, kLineBytes);
  _tile_stored(1, sums + kSums, kLineBytes);
  _tile_stored(2, sums + 2 * kSums, kLineBytes);
}

void write_sums(const float* sums, std::int64_t tap, std::int64_t taps, std::int64_t channel,
                std::int64_t channels, std::int64_t filter, std::int64_t filters, float* dw) {
  __m512i rows[16];
  for (std::int64_t i = 0; i < kRows; ++i) rows[i] = _mm512_load_si512(sums + i * kRows);
  transpose_words(rows);
  for (std::int64_t i = 0; i < kRows && filter + i < filters; ++i) {
    _mm512_mask_storeu_ps(dw + ((filter + i) * taps + tap) * channels + channel,
                          first_of_row(channels - channel), (__m512)rows[i]);
  }
}

}  // namespace glidepath::amx

#else

namespace glidepath::amx {

bool are_built() { return false; }
Tiles::Tiles() = default;
Tiles::~Tiles() = default;
void pack_filters(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void pack_turned(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void convolve(std::int64_t, std::int64_t, const Bf16*, std::int64_t, const std::int32_t*, const Bf16*,
              const std::int32_t*, std::int64_t, std::int64_t, Bf16*) {}
void convolve_row(const InputRow*, std::int64_t, const Reach*, std::int64_t, std::int64_t, std::int64_t,
                  const Images&, Bf16*) {}
void spread(const Bf16*, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void convolve_rows(const Bf16*, std::int64_t, const std::int64_t*, std::int64_t, const Bf16*, std::int64_t,
                   Bf16*) {}
void convolve_rows_twice(const Bf16*, std::int64_t, const std::int64_t*, std::int64_t, const Bf16*,
                         std::int64_t, Bf16*) {}
void transpose(const Bf16*, std::int64_t, Bf16*) {}
void pair_up(const Bf16*, std::int64_t, std::int64_t, Bf16*) {}
void transpose_images(const Bf16*, std::int64_t, std::uint32_t, std::int64_t, Bf16*, Bf16*) {}
void pair_images(const Bf16*, std::int64_t, std::uint32_t, std::int64_t, Bf16*, Bf16*) {}
void accumulate_shifts(const Bf16*, const Bf16*, const Walk&, std::int64_t, float*) {}
void accumulate_places(const Bf16*, const Bf16*, const Walk&, float*) {}
void accumulate_three(const Bf16*, const Bf16* const (&)[3], std::int64_t, float*) {}
void write_sums(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                std::int64_t, float*) {}

}  // namespace glidepath::amx
#endif
