// src/nn/kernels/amx/tile_outputs.cpp - products of tiles that are outputs: rounded, and written where they
// belong.
#include "nn/kernels/amx/tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include "nn/kernels/amx/registers.h"

namespace glidepath::amx {
namespace {

/// All channels of two tiles, or of the upper one.
template <bool kBoth>
GLIDEPATH_ALWAYS void add_channels(const Bf16* upper, const Bf16* lower, std::int64_t channels,
                                   const Bf16* u) {
  const std::int64_t bytes = channels * std::int64_t{sizeof(Bf16)};
  for (std::int64_t c = 0; c < channels; c += kTogether, u += 2 * kOfTile) {
    if (kBoth) {
      add_products(upper + c, lower + c, bytes, u, u + kOfTile);
      continue;
    }
    _tile_loadd(4, upper + c, bytes);
    _tile_loadd(6, u, kLineBytes);
    _tile_loadd(7, u + kOfTile, kLineBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
  }
}

/// A row of sums.
GLIDEPATH_ALWAYS void write_row(const float (&sums)[kTogether], __mmask32 mask, Bf16* y) {
  _mm512_mask_storeu_epi16(y, mask, rounded(_mm512_load_ps(sums), _mm512_load_ps(sums + kRows)));
}

/// Groups of outputs from kOfGroup tiles of x each: add(inputs, step) in each step, then store(sums).
template <std::int64_t kOfGroup, typename Add>
GLIDEPATH_ALWAYS void convolve_groups(const Bf16* x, std::int64_t of_tile, const std::int64_t* offsets,
                                      std::int64_t steps, std::int64_t groups, Bf16* y, const Add& add,
                                      void (*store)(float*)) {
  alignas(64) float sums[kGroup][kRows];
  for (std::int64_t group = 0; group < groups; ++group, x += kOfGroup * of_tile, y += kGroup * kRows) {
    clear_sums();
    for (std::int64_t step = 0; step < steps; ++step) add(x + offsets[step], step);
    store(sums[0]);
    round_sums(sums, y);
  }
}

}  // namespace

void convolve(std::int64_t channels, std::int64_t row, const Bf16* x, std::int64_t tiles,
              const std::int32_t* starts, const Bf16* u, const std::int32_t* where, std::int64_t block,
              std::int64_t filters, Bf16* y) {
  alignas(64) float sums[kTogether][kTogether];
  const __mmask32 mask = first_of_line(filters - block * kTogether);
  y += block * kTogether;
  for (std::int64_t tile = 0; tile < tiles; tile += 2, where += kTogether) {
    const Bf16 *upper = x + starts[tile] * channels, *lower = x + starts[tile + 1] * channels;
    clear_sums();
    for (std::int64_t tap = 0; tap < kTaps; ++tap) {
      const std::int64_t at = (tap / kSide * row + tap % kSide) * channels;
      add_channels<true>(upper + at, lower + at, channels, u + tap * channels * kTogether);
    }
    store_square(sums[0]);
    for (std::int64_t i = 0; i < kTogether; ++i) {
      if (where[i] >= 0) write_row(sums[i], mask, y + where[i] * filters);
    }
  }
}

namespace {

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
        const Bf16* pixel_of_all = rows[row].x + reach.inputs[i] * kTogether * channels;
        add_channels<kBoth>(pixel_of_all, pixel_of_all + kRows * channels, channels,
                            rows[row].u + reach.taps[i] * kTogether * channels);
      }
    }
    store_square(sums[0]);
    for (std::int64_t i = 0; i < images.count; ++i) write_row(sums[i], mask, y + i * images.of_image);
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
  const std::int64_t bytes = stride * std::int64_t{sizeof(Bf16)}, of_tile = kRows * stride;
  const auto add = [&](const Bf16* from, std::int64_t step) {
    _tile_loadd(6, u + step * kOfTile, kLineBytes);
    _tile_loadd(4, from, bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, from + of_tile, bytes);
    _tile_dpbf16ps(1, 5, 6);
    _tile_loadd(4, from + 2 * of_tile, bytes);
    _tile_dpbf16ps(2, 4, 6);
    _tile_loadd(5, from + 3 * of_tile, bytes);
    _tile_dpbf16ps(3, 5, 6);
  };
  convolve_groups<4>(x, of_tile, offsets, steps, groups, y, add, store_in_turn);
}

void convolve_rows_twice(const Bf16* x, std::int64_t stride, const std::int64_t* offsets, std::int64_t steps,
                         const Bf16* u, std::int64_t groups, Bf16* y) {
  const std::int64_t bytes = stride * std::int64_t{sizeof(Bf16)}, of_tile = kRows * stride;
  const auto add = [&](const Bf16* from, std::int64_t step) {
    const Bf16* of_step = u + 2 * step * kOfTile;
    add_products(from, from + of_tile, bytes, of_step, of_step + kOfTile);
  };
  convolve_groups<2>(x, of_tile, offsets, steps, groups, y, add, store_square);
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
