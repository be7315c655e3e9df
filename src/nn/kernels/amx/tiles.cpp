// src/nn/kernels/amx/tiles.cpp - filters and images as tiles.
#include "nn/kernels/amx/tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include "nn/kernels/amx/registers.h"

namespace glidepath::amx {

namespace {

/// What LDTILECFG reads.
struct alignas(64) Configuration {
  std::uint8_t palette = 1, start = 0, reserved[14] = {};
  std::uint16_t bytes_of_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

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

void spread(const Bf16* x, std::int64_t channels, std::int64_t width, std::int64_t stride, Bf16* to) {
  for (std::int64_t pixel = 0; pixel < width; ++pixel, x += channels, to += stride) {
    for (std::int64_t c = 0; c < channels; c += kTogether)
      _mm512_store_si512(to + c, _mm512_maskz_loadu_epi16(first_of_line(channels - c), x + c));
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

}  // namespace glidepath::amx

#else

namespace glidepath::amx {

bool are_built() { return false; }
Tiles::Tiles() = default;
Tiles::~Tiles() = default;
void pack_filters(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void pack_turned(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void spread(const Bf16*, std::int64_t, std::int64_t, std::int64_t, Bf16*) {}
void transpose(const Bf16*, std::int64_t, Bf16*) {}
void pair_up(const Bf16*, std::int64_t, std::int64_t, Bf16*) {}
void transpose_images(const Bf16*, std::int64_t, std::uint32_t, std::int64_t, Bf16*, Bf16*) {}
void pair_images(const Bf16*, std::int64_t, std::uint32_t, std::int64_t, Bf16*, Bf16*) {}

}  // namespace glidepath::amx
#endif
