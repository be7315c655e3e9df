// src/nn/kernels/amx/tile_outputs.cpp - products of tiles that are outputs: rounded, and written where they
// belong.
#include "nn/kernels/amx/tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include "nn/kernels/amx/registers.h"

namespace glidepath::amx {

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

}  // namespace glidepath::amx

#else

namespace glidepath::amx {

void convolve(std::int64_t, std::int64_t, const Bf16*, std::int64_t, const std::int32_t*, const Bf16*,
              const std::int32_t*, std::int64_t, std::int64_t, Bf16*) {}
void convolve_row(const InputRow*, std::int64_t, const Reach*, std::int64_t, std::int64_t, std::int64_t,
                  const Images&, Bf16*) {}
void convolve_rows(const Bf16*, std::int64_t, const std::int64_t*, std::int64_t, const Bf16*, std::int64_t,
                   Bf16*) {}
void convolve_rows_twice(const Bf16*, std::int64_t, const std::int64_t*, std::int64_t, const Bf16*,
                         std::int64_t, Bf16*) {}

}  // namespace glidepath::amx
#endif
