// src/nn/kernels/winograd/kernels.h - the loops of Winograd's convolution, compiled for each instruction set.
#pragma once
#include <cstdint>

namespace glidepath::winograd {

// F(4x4, 3x3): a tile of 4 x 4 outputs comes from 6 x 6 inputs by 36 products instead of 144. Everything is
// float32; activations are [N, H, W, C], of which H x W outputs are covered by tiles from the upper left.
constexpr std::int64_t kTile = 4, kPatch = 6, kPlaces = kPatch * kPatch, kTaps = 9;

struct Shape {
  std::int64_t images, height, width;
  std::int64_t channels, filters;  ///< multiples of kGrain

  [[gnu::always_inline]] std::int64_t tiles_down() const { return (height + kTile - 1) / kTile; }
  [[gnu::always_inline]] std::int64_t tiles_across() const { return (width + kTile - 1) / kTile; }
  [[gnu::always_inline]] std::int64_t tiles() const { return images * tiles_down() * tiles_across(); }
};

// Channels that every instruction set takes at once, and how many there may be.
constexpr std::int64_t kGrain = 8, kMostChannels = 4096;

/// Tiles [first, first + count), all images in a row.
struct TileRange {
  std::int64_t first, count;
};

/// `place` is one of the 36 of a transformed tile, `stride` the floats from one place to the next. A panel is
/// `panel` channels that lie together; where they are not a multiple of it the last panel is filled up.
struct Kernels {
  std::int64_t rows;   ///< tiles, or channels, that a product takes at once
  std::int64_t panel;  ///< filters likewise

  /// B^T d B of the 6 x 6 inputs around each tile, 0 outside the image: v[place * stride + tile * C + c].
  void (*inputs)(const Shape&, const float* x, TileRange, float* v, std::int64_t stride);
  /// A dy A^T of the 4 x 4 gradients of each tile: z[place * stride + (panel * tiles + tile) * P + k].
  void (*gradients)(const Shape&, const float* dy, TileRange, std::int64_t tiles, float* z,
                    std::int64_t stride);
  /// G g G^T of filters w[tap][c][k]: u[((panel * 36 + place) * C + c) * P + k], what fills up is 0. Panels
  /// [first_panel, end_panel).
  void (*filters)(const Shape&, const float* w, std::int64_t first_panel, std::int64_t end_panel, float* u);
  /// m[tile][k] = sum over c of v[tile][c] u[c][k], of one place and panel. Tiles are filled up to `rows`.
  void (*multiply)(const float* v, std::int64_t tiles, std::int64_t channels, const float* u, float* m);
  /// y = A^T m A of one panel: from m[place * stride + tile * P + k] to y[N, H, W, K].
  void (*outputs)(const Shape&, const float* m, TileRange, std::int64_t panel, std::int64_t stride, float* y);
  /// du[c][k] += sum over tiles of v[tile][c] z[tile][k], of one place and panel, in the tiles' order.
  void (*accumulate)(const float* v, std::int64_t tiles, std::int64_t channels, const float* z, float* du);
  /// dw[tap][c][k] = G^T du G, of one panel: from du[(panel * 36 + place) * C * P + c * P + k].
  void (*filter_gradients)(const Shape&, const float* du, std::int64_t first_panel, std::int64_t end_panel,
                           float* dw);
};

/// Null where this build has none for x86's AVX-512 or AVX2. Only for processors that have it.
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();

}  // namespace glidepath::winograd
