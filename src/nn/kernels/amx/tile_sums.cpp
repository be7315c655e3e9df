// src/nn/kernels/amx/tile_sums.cpp - products of tiles that are added up: filters' gradients.
#include "nn/kernels/amx/tiles.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__AVX512BW__)
#include "nn/kernels/amx/registers.h"

namespace glidepath::amx {

namespace {

constexpr std::int64_t kSums = kRows * kRows;

GLIDEPATH_ALWAYS void load_three(const float* sums) {
  _tile_loadd(0, sums, kLineBytes);
  _tile_loadd(1, sums + kSums, kLineBytes);
  _tile_loadd(2, sums + 2 * kSums, kLineBytes);
}
GLIDEPATH_ALWAYS void store_three(float* sums) {
  _tile_stored(0, sums, kLineBytes);
  _tile_stored(1, sums + kSums, kLineBytes);
  _tile_stored(2, sums + 2 * kSums, kLineBytes);
}

// Inputs of a line are in tiles 3, 4, 5 in turn, so that each is loaded once for three products: with the
// gradients to its right, at its place and to its left.
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
  load_three(sums);
  for_lines(inputs, gradients, walk, [&](const Bf16* rows, const Bf16* columns) {
    if (stride == 1) return accumulate_line(rows, columns, walk.gradients);
    accumulate_every_second(rows, walk.inputs, columns, walk.gradients);
  });
  store_three(sums);
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
  load_three(sums);
  for (std::int64_t i = 0; i < steps; ++i) {
    _tile_loadd(4, rows + i * kOfTile, kLineBytes);
    _tile_loadd(5, columns[0] + i * kOfTile, kLineBytes);
    _tile_loadd(6, columns[1] + i * kOfTile, kLineBytes);
    _tile_loadd(7, columns[2] + i * kOfTile, kLineBytes);
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 6);
    _tile_dpbf16ps(2, 4, 7);
  }
  store_three(sums);
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

void accumulate_shifts(const Bf16*, const Bf16*, const Walk&, std::int64_t, float*) {}
void accumulate_places(const Bf16*, const Bf16*, const Walk&, float*) {}
void accumulate_three(const Bf16*, const Bf16* const (&)[3], std::int64_t, float*) {}
void write_sums(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                std::int64_t, float*) {}

}  // namespace glidepath::amx
#endif
