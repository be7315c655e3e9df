// src/nn/kernels/winograd/tiles.h - where a tile's pixels are, and transforms in two dimensions. Included
// once for each instruction set, by files that include nothing else: an inline function of another header
// would be compiled for that instruction set, and the linker might take it for the whole program.
#pragma once
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::winograd {
namespace {

/// Where a tile's image begins, and the tile in it.
struct Place {
  std::int64_t image, row, column;
};
template <std::int64_t kTile>
inline Place place_of(const Shape& shape, std::int64_t tile) {
  const std::int64_t across = (shape.width + kTile - 1) / kTile, down = (shape.height + kTile - 1) / kTile;
  const std::int64_t image = tile / (down * across), rest = tile % (down * across);
  return {image, rest / across * kTile, rest % across * kTile};
}

/// Pointers to the pixels of a square of kSize whose corner is `offset` from the place, to `outside` where
/// there is no image.
template <std::int64_t kSize, typename T>
inline void pixels_at(const Shape& shape, T* x, std::int64_t channels, const Place& place,
                      std::int64_t offset, T* outside, T* (&pixels)[kSize * kSize]) {
  const std::int64_t top = place.row + offset, left = place.column + offset;
  const std::int64_t corner = (place.image * shape.height + top) * shape.width + left;
  const bool all_inside = top >= 0 && left >= 0 && top + kSize <= shape.height && left + kSize <= shape.width;
  for (std::int64_t i = 0; i < kSize; ++i) {
    for (std::int64_t j = 0; j < kSize; ++j) {
      const std::int64_t row = top + i, column = left + j;
      const bool inside =
          all_inside || (row >= 0 && row < shape.height && column >= 0 && column < shape.width);
      pixels[i * kSize + j] = inside ? x + (corner + i * shape.width + j) * channels : outside;
    }
  }
}

/// Columns, then rows: `transform` is from kFrom to kTo.
template <int kFrom, int kTo, typename T, typename Load, typename Transform, typename Store>
inline __attribute__((always_inline)) void in_two_dimensions(const Load& load_at, const Transform& transform,
                                                             const Store& store_at) {
  T half[kTo][kFrom];
#pragma GCC unroll 6
  for (int j = 0; j < kFrom; ++j) {
    T column[kFrom], out[kTo];
#pragma GCC unroll 6
    for (int i = 0; i < kFrom; ++i) column[i] = load_at(i * kFrom + j);
    transform(column, out);
#pragma GCC unroll 6
    for (int i = 0; i < kTo; ++i) half[i][j] = out[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < kTo; ++i) {
    T out[kTo];
    transform(half[i], out);
#pragma GCC unroll 6
    for (int j = 0; j < kTo; ++j) store_at(i * kTo + j, out[j]);
  }
}

template <std::int64_t kPanel>
inline std::int64_t filters_in(const Shape& shape, std::int64_t panel) {
  const std::int64_t left = shape.filters - panel * kPanel;
  return left < kPanel ? left : kPanel;
}

}  // namespace
}  // namespace glidepath::winograd
