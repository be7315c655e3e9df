// src/nn/kernels/winograd/avx512_bf16.cpp - bfloat16, whose products AVX-512 BF16 adds up two at a time.
#include "nn/kernels/winograd/kernels.h"

#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#include <immintrin.h>

#include "nn/kernels/winograd/tiles.h"
#include "nn/kernels/winograd/transforms.h"

namespace glidepath::winograd {
namespace {

constexpr std::int64_t kTile = Bf16Kernels::kTile, kPatch = Bf16Kernels::kPatch,
                       kPlaces = Bf16Kernels::kPlaces;
// Numbers in a register: channels of v that are made together, and the filters of a panel.
constexpr std::int64_t kBlock = 32, kHalf = 16;
// Tiles, and channels, that keep 24, and 16, of 32 registers in sums.
constexpr std::int64_t kRows = 12, kSumRows = 8;

#define GLIDEPATH_ALWAYS inline __attribute__((always_inline))

using Floats [[gnu::vector_size(64)]] = float;
using Words [[gnu::vector_size(64)]] = unsigned;

/// 32 numbers of memory: those with an even index and those with an odd one, which are the lower and upper
/// halves of 16 words. This order stays in v, u, z and du, so that nothing has to be put in its place.
struct Split {
  Floats even, odd;
};
GLIDEPATH_ALWAYS Split operator+(const Split& a, const Split& b) { return {a.even + b.even, a.odd + b.odd}; }
GLIDEPATH_ALWAYS Split operator-(const Split& a, const Split& b) { return {a.even - b.even, a.odd - b.odd}; }
GLIDEPATH_ALWAYS Split operator-(const Split& a) { return {-a.even, -a.odd}; }

/// Where the number at `place` of a block of v lies in memory.
GLIDEPATH_ALWAYS constexpr std::int64_t in_memory(std::int64_t place) {
  const std::int64_t rest = place % kBlock;
  return place - rest + (rest < kHalf ? 2 * rest : 2 * (rest - kHalf) + 1);
}

GLIDEPATH_ALWAYS __mmask32 first_of_block(std::int64_t count) {
  return count >= kBlock ? ~__mmask32{0} : (__mmask32{1} << count) - 1;
}
GLIDEPATH_ALWAYS __mmask16 first_of_half(std::int64_t count) {
  return static_cast<__mmask16>(count >= kHalf ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}

GLIDEPATH_ALWAYS Split load_split(__mmask32 mask, const Bf16* from) {
  const Words words = (Words)_mm512_maskz_loadu_epi16(mask, from);
  return {(Floats)(words << 16), (Floats)(words & 0xFFFF0000U)};
}
/// Rounded to nearest, ties to even: first's, then second's.
GLIDEPATH_ALWAYS __m512i rounded(Floats first, Floats second) {
  return (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}
GLIDEPATH_ALWAYS void store_block(Bf16* to, __m512i block) { _mm512_storeu_si512(to, block); }
GLIDEPATH_ALWAYS Floats load_floats(const float* from) { return (Floats)_mm512_loadu_ps(from); }

// A word of a product's operands: the numbers of two channels, or of two tiles.
alignas(64) const Bf16 kPairs[kBlock] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                         8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
GLIDEPATH_ALWAYS __m512i paired(Floats first, Floats second) {
  return _mm512_permutexvar_epi16(_mm512_load_si512(kPairs), rounded(first, second));
}

alignas(64) const Bf16 kZeros[kMostChannels + kBlock] = {};

GLIDEPATH_ALWAYS constexpr std::int64_t filled_up(std::int64_t count) {
  return (count + kBlock - 1) / kBlock * kBlock;
}

/// Row i of B^T d.
GLIDEPATH_ALWAYS void input_row(int i, const Bf16* const (&pixels)[kPatch * kPatch], std::int64_t c,
                                __mmask32 mask, Split (&row)[kPatch]) {
  const int first = i == 0 ? 0 : i == 2 ? 2 : 1, second = i == 3 ? 3 : i == 2 ? 1 : 2;
#pragma GCC unroll 4
  for (int j = 0; j < kPatch; ++j) {
    const Split a = load_split(mask, pixels[first * kPatch + j] + c);
    const Split b = load_split(mask, pixels[second * kPatch + j] + c);
    row[j] = i == 1 ? a + b : a - b;
  }
}

/// Column j of a row of B^T d, times B.
GLIDEPATH_ALWAYS Split input_column(const Split (&row)[kPatch], int j) {
  return j == 0 ? row[0] - row[2] : j == 1 ? row[1] + row[2] : j == 2 ? row[2] - row[1] : row[1] - row[3];
}

void inputs(const Shape& shape, const Bf16* x, TileRange range, Bf16* v, std::int64_t stride) {
  const std::int64_t filled = filled_up(shape.channels);
  for (std::int64_t t = 0; t < range.count; ++t) {
    const Bf16* pixels[kPatch * kPatch];
    pixels_at<kPatch>(shape, x, shape.channels, place_of<kTile>(shape, range.first + t), -1, kZeros, pixels);
    for (std::int64_t c = 0; c < filled; c += kBlock) {
      const __mmask32 mask = first_of_block(shape.channels - c);
      Bf16* to = v + t * filled + c;
#pragma GCC unroll 4
      for (int i = 0; i < kPatch; ++i) {
        Split row[kPatch];
        input_row(i, pixels, c, mask, row);
#pragma GCC unroll 4
        for (int j = 0; j < kPatch; ++j) {
          const Split value = input_column(row, j);
          store_block(to + (i * kPatch + j) * stride, rounded(value.even, value.odd));
        }
      }
    }
  }
}

/// The two tiles of a word, of which the second may be none: all zeros.
template <std::int64_t kSize>
struct TwoTiles {
  const Bf16* pixels[2][kSize * kSize];
  TwoTiles(const Shape& shape, const Bf16* x, std::int64_t channels, TileRange range, std::int64_t t,
           std::int64_t offset) {
    for (std::int64_t i = 0; i < 2; ++i) {
      if (t + i < range.count) {
        pixels_at<kSize>(shape, x, channels, place_of<kTile>(shape, range.first + t + i), offset, kZeros,
                         pixels[i]);
      } else {
        for (auto& pixel : pixels[i]) pixel = kZeros;
      }
    }
  }
};

/// v[place * stride + (tile pair * C + c) * 2 + which of the pair].
void inputs_to_sum(const Shape& shape, const Bf16* x, TileRange range, Bf16* v, std::int64_t stride) {
  const std::int64_t filled = filled_up(shape.channels);
  for (std::int64_t t = 0; t < range.count; t += 2) {
    const TwoTiles<kPatch> two(shape, x, shape.channels, range, t, -1);
    for (std::int64_t c = 0; c < filled; c += kBlock) {
      const __mmask32 mask = first_of_block(shape.channels - c);
      Bf16* to = v + t * filled + 2 * c;
#pragma GCC unroll 4
      for (int i = 0; i < kPatch; ++i) {
        Split first[kPatch], second[kPatch];
        input_row(i, two.pixels[0], c, mask, first);
        input_row(i, two.pixels[1], c, mask, second);
#pragma GCC unroll 4
        for (int j = 0; j < kPatch; ++j) {
          const Split a = input_column(first, j), b = input_column(second, j);
          Bf16* place = to + (i * kPatch + j) * stride;
          store_block(place, paired(a.even, b.even));
          store_block(place + kBlock, paired(a.odd, b.odd));
        }
      }
    }
  }
}

GLIDEPATH_ALWAYS void gradient_patch(const Bf16* const (&pixels)[kTile * kTile], std::int64_t k,
                                     __mmask32 mask, Split (&z)[kPlaces]) {
  in_two_dimensions<2, 4, Split>([&](int i) { return load_split(mask, pixels[i] + k); },
                                 [](const Split(&d)[2], Split(&out)[4]) { transform_gradient(d, out); },
                                 [&](int i, const Split& value) { z[i] = value; });
}

/// z[place * stride + ((panel * tiles + tile pair) * P + k) * 2 + which of the pair], with half as many
/// pairs.
void gradients(const Shape& shape, const Bf16* dy, TileRange range, std::int64_t tiles, Bf16* z,
               std::int64_t stride) {
  for (std::int64_t t = 0; t < range.count; t += 2) {
    const TwoTiles<kTile> two(shape, dy, shape.filters, range, t, 0);
    for (std::int64_t k = 0; k < shape.filters; k += kBlock) {
      const __mmask32 mask = first_of_block(shape.filters - k);
      Split first[kPlaces], second[kPlaces];
      gradient_patch(two.pixels[0], k, mask, first);
      gradient_patch(two.pixels[1], k, mask, second);
      Bf16* to = z + (k / kBlock * tiles + t) * kBlock;
#pragma GCC unroll 16
      for (int i = 0; i < kPlaces; ++i) {
        store_block(to + i * stride, paired(first[i].even, second[i].even));
        store_block(to + i * stride + kBlock, paired(first[i].odd, second[i].odd));
      }
    }
  }
}

/// G g G^T of channel c and the 16 filters from k, all 0 for a channel that fills up.
GLIDEPATH_ALWAYS void filter_patch(const Shape& shape, const float* w, std::int64_t c, std::int64_t k,
                                   Floats (&u)[kPlaces]) {
  const __mmask16 mask = first_of_half(c < shape.channels ? shape.filters - k : 0);
  const float* from = w + (mask == 0 ? 0 : c * shape.filters + k);
  const std::int64_t of_tap = shape.channels * shape.filters;
  in_two_dimensions<3, 4, Floats>(
      [&](int i) { return (Floats)_mm512_maskz_loadu_ps(mask, from + i * of_tap); },
      [](const Floats(&g)[3], Floats(&out)[4]) { transform_filter(g, out); },
      [&](int i, Floats value) { u[i] = value; });
}

/// u[((panel * kPlaces + place) * C / 2 + channel pair) * P * 2 + k * 2 + which of the pair].
void filters(const Shape& shape, const float* w, std::int64_t first, std::int64_t end, Bf16* u) {
  const std::int64_t filled = filled_up(shape.channels);
  for (std::int64_t panel = first; panel < end; ++panel) {
    for (std::int64_t c = 0; c < filled; c += 2) {
      for (std::int64_t k = 0; k < kBlock; k += kHalf) {
        Floats one[kPlaces], other[kPlaces];
        filter_patch(shape, w, in_memory(c), panel * kBlock + k, one);
        filter_patch(shape, w, in_memory(c + 1), panel * kBlock + k, other);
        Bf16* to = u + (panel * kPlaces * filled + c) * kBlock + 2 * k;
#pragma GCC unroll 16
        for (int i = 0; i < kPlaces; ++i) store_block(to + i * filled * kBlock, paired(one[i], other[i]));
      }
    }
  }
}

GLIDEPATH_ALWAYS __m512bh words_at(const Bf16* from) { return (__m512bh)_mm512_loadu_si512(from); }
/// The word at `from` in all lanes.
GLIDEPATH_ALWAYS __m512bh word_at(const Bf16* from) {
  int word;
  __builtin_memcpy(&word, from, sizeof word);
  return (__m512bh)_mm512_set1_epi32(word);
}

/// out[r][k] (+)= sum over i of the words a[r * a_row + i * a_step] and b[i][k], r < kCount, k < 32.
template <int kCount, bool kAdd>
GLIDEPATH_ALWAYS void product(const Bf16* a, std::int64_t a_row, std::int64_t a_step, std::int64_t words,
                              const Bf16* b, float* out) {
  __m512 left[kCount], right[kCount];
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) {
    left[r] = kAdd ? _mm512_loadu_ps(out + r * kBlock) : _mm512_setzero_ps();
    right[r] = kAdd ? _mm512_loadu_ps(out + r * kBlock + kHalf) : _mm512_setzero_ps();
  }
  for (std::int64_t i = 0; i < words; ++i, a += a_step, b += 2 * kBlock) {
    const __m512bh first = words_at(b), second = words_at(b + kBlock);
#pragma GCC unroll 16
    for (int r = 0; r < kCount; ++r) {
      const __m512bh factor = word_at(a + r * a_row);
      left[r] = _mm512_dpbf16_ps(left[r], factor, first);
      right[r] = _mm512_dpbf16_ps(right[r], factor, second);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) {
    _mm512_storeu_ps(out + r * kBlock, left[r]);
    _mm512_storeu_ps(out + r * kBlock + kHalf, right[r]);
  }
}

void multiply(const Bf16* v, std::int64_t tiles, std::int64_t channels, const Bf16* u, float* m) {
  for (std::int64_t t = 0; t < tiles; t += kRows) {
    product<kRows, false>(v + t * channels, channels, 2, channels / 2, u, m + t * kBlock);
  }
}

void accumulate(const Bf16* v, std::int64_t tiles, std::int64_t channels, const Bf16* z, float* du) {
  for (std::int64_t c = 0; c < channels; c += kSumRows) {
    product<kSumRows, true>(v + 2 * c, 2, 2 * channels, tiles / 2, z, du + c * kBlock);
  }
}

void outputs(const Shape& shape, const float* m, TileRange range, std::int64_t panel, std::int64_t stride,
             Bf16* y) {
  const __mmask32 mask = first_of_block(filters_in<kBlock>(shape, panel));
  Bf16 nowhere[kBlock];
  for (std::int64_t t = 0; t < range.count; ++t) {
    Bf16* pixels[kTile * kTile];
    pixels_at<kTile>(shape, y + panel * kBlock, shape.filters, place_of<kTile>(shape, range.first + t), 0,
                     nowhere, pixels);
    Floats half[2][kTile * kTile];
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      const float* from = m + t * kBlock + h * kHalf;
      in_two_dimensions<4, 2, Floats>(
          [&](int i) { return load_floats(from + i * stride); },
          [](const Floats(&products)[4], Floats(&out)[2]) { transform_output(products, out); },
          [&](int i, Floats value) { half[h][i] = value; });
    }
#pragma GCC unroll 4
    for (int i = 0; i < kTile * kTile; ++i) {
      _mm512_mask_storeu_epi16(pixels[i], mask, rounded(half[0][i], half[1][i]));
    }
  }
}

/// The filters of du's order, put in that of memory.
GLIDEPATH_ALWAYS void store_in_memory(float* to, std::int64_t count, Floats even, Floats odd) {
  const __m512i lower = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512i upper = _mm512_add_epi32(lower, _mm512_set1_epi32(8));
  _mm512_mask_storeu_ps(to, first_of_half(count), _mm512_permutex2var_ps((__m512)even, lower, (__m512)odd));
  if (count <= kHalf) return;
  _mm512_mask_storeu_ps(to + kHalf, first_of_half(count - kHalf),
                        _mm512_permutex2var_ps((__m512)even, upper, (__m512)odd));
}

void filter_gradients(const Shape& shape, const float* du, std::int64_t first, std::int64_t end, float* dw) {
  const std::int64_t filled = filled_up(shape.channels);
  for (std::int64_t panel = first; panel < end; ++panel) {
    const std::int64_t count = filters_in<kBlock>(shape, panel);
    for (std::int64_t place = 0; place < filled; ++place) {
      const std::int64_t c = in_memory(place);
      if (c >= shape.channels) continue;
      Floats taps[2][kTaps];
#pragma GCC unroll 2
      for (int h = 0; h < 2; ++h) {
        const float* from = du + (panel * kPlaces * filled + place) * kBlock + h * kHalf;
        in_two_dimensions<4, 3, Floats>(
            [&](int i) { return load_floats(from + i * filled * kBlock); },
            [](const Floats(&u)[4], Floats(&out)[3]) { transform_filter_gradient(u, out); },
            [&](int i, Floats value) { taps[h][i] = value; });
      }
      float* to = dw + c * shape.filters + panel * kBlock;
#pragma GCC unroll 9
      for (int i = 0; i < kTaps; ++i) {
        store_in_memory(to + i * shape.channels * shape.filters, count, taps[0][i], taps[1][i]);
      }
    }
  }
}

}  // namespace

const Bf16Kernels* avx512_bf16_kernels() {
  static constexpr Bf16Kernels kKernels = {kRows,     kBlock,         kBlock,      2,
                                           &inputs,   &inputs_to_sum, &gradients,  &filters,
                                           &multiply, &outputs,       &accumulate, &filter_gradients};
  return &kKernels;
}

}  // namespace glidepath::winograd
#else
namespace glidepath::winograd {
const Bf16Kernels* avx512_bf16_kernels() { return nullptr; }
}  // namespace glidepath::winograd
#endif
