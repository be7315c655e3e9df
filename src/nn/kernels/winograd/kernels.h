// src/nn/kernels/winograd/kernels.h - the loops of Winograd's convolution, compiled for each instruction set.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath::winograd {

struct Shape {
  std::int64_t images, height, width;
  std::int64_t channels, filters;  ///< multiples of kGrain
};

// Channels that every instruction set takes at once, how many there may be, and the taps of a filter.
constexpr std::int64_t kGrain = 8, kMostChannels = 4096, kTaps = 9;

inline bool fits_grain(std::int64_t channels) {
  return channels > 0 && channels % kGrain == 0 && channels <= kMostChannels;
}

/// Tiles [first, first + count), all images in a row.
struct TileRange {
  std::int64_t first, count;
};

/// F(m x m, 3 x 3): a tile of m x m outputs comes from (m + 2) x (m + 2) inputs by as many products instead
/// of 9 m^2. Activations are [N, H, W, C] of Number, whose H x W outputs are covered by tiles from the upper
/// left; filters and all sums are float32. `place` is one of those of a transformed tile, `stride` the
/// numbers from one place to the next. A panel is `panel` filters that lie together; where they are not a
/// multiple of it the last panel is filled up, as channels are to a multiple of `channels_together`, by
/// zeros.
template <typename Number_, int kOutputs>
struct Kernels {
  using Number = Number_;
  static constexpr std::int64_t kTile = kOutputs, kPatch = kTile + 2, kPlaces = kPatch * kPatch;

  std::int64_t rows;               ///< tiles that a product takes at once
  std::int64_t panel;              ///< filters likewise
  std::int64_t channels_together;  ///< v has as many channels, or a multiple
  std::int64_t tiles_together;     ///< those of sums over tiles are filled up to a multiple

  /// B^T d B of the inputs around each tile, 0 outside the image: v[place * stride + tile * C + c].
  void (*inputs)(const Shape&, const Number* x, TileRange, Number* v, std::int64_t stride);
  /// The same as accumulate() wants it.
  void (*inputs_to_sum)(const Shape&, const Number* x, TileRange, Number* v, std::int64_t stride);
  /// A dy A^T of the gradients of each tile, as accumulate() wants it:
  /// z[place * stride + (panel * tiles + tile) * P + k].
  void (*gradients)(const Shape&, const Number* dy, TileRange, std::int64_t tiles, Number* z,
                    std::int64_t stride);
  /// G g G^T of filters w[tap][c][k]: u[((panel * kPlaces + place) * C + c) * P + k]. Panels
  /// [first_panel, end_panel).
  void (*filters)(const Shape&, const float* w, std::int64_t first_panel, std::int64_t end_panel, Number* u);
  /// m[tile][k] = sum over c of v[tile][c] u[c][k], of one place and panel. Tiles are filled up to `rows`.
  void (*multiply)(const Number* v, std::int64_t tiles, std::int64_t channels, const Number* u, float* m);
  /// y = A^T m A of one panel: from m[place * stride + tile * P + k] to y[N, H, W, K].
  void (*outputs)(const Shape&, const float* m, TileRange, std::int64_t panel, std::int64_t stride,
                  Number* y);
  /// du[c][k] += sum over tiles of v[tile][c] z[tile][k], of one place and panel, in the tiles' order.
  void (*accumulate)(const Number* v, std::int64_t tiles, std::int64_t channels, const Number* z, float* du);
  /// dw[tap][c][k] = G^T du G, of one panel: from du[((panel * kPlaces + place) * C + c) * P + k].
  void (*filter_gradients)(const Shape&, const float* du, std::int64_t first_panel, std::int64_t end_panel,
                           float* dw);
};

/// Of the two that float32's rounding bears and bfloat16's does, the most.
using FloatKernels = Kernels<float, 4>;
/// Channels in v and u, and filters in z and du, lie in an order of its own.
using Bf16Kernels = Kernels<Bf16, 2>;

/// Null where this build has none for x86's AVX-512, AVX2 or AVX-512 BF16. Only for processors that have it.
const FloatKernels* avx512_kernels();
const FloatKernels* avx2_kernels();
const Bf16Kernels* avx512_bf16_kernels();

}  // namespace glidepath::winograd
