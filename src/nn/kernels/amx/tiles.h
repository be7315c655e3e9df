// src/nn/kernels/amx/tiles.h - the loops of convolutions on AMX: products of tiles of 16 x 32 numbers.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath::amx {

// Rows of a tile, the numbers in one, and how many pixels, channels or filters are multiplied together: two
// tiles by two.
constexpr std::int64_t kRows = 16, kTogether = 32, kOfTile = kRows * kTogether, kTaps = 9, kGroup = 4 * kRows;

/// Whether this build has what is below. Nothing else here is called where it has not, or on a processor
/// without AMX's bfloat16.
bool are_built();

/// While alive, this thread's tile registers are those of the functions below.
class Tiles {
 public:
  Tiles();
  ~Tiles();
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

/// Filters w [filters][tap][channels], a block of kTogether of them, for convolve(): rounded, in pairs of
/// channels, filled up with zeros. u: kTaps * (channels, rounded up to kTogether) * kTogether numbers.
void pack_filters(const float* w, std::int64_t channels, std::int64_t filters, std::int64_t block, Bf16* u);
/// The same turned, for the gradient of the inputs: taps from the last to the first, a block of channels in
/// the place of the filters, filters in that of the channels.
void pack_turned(const float* w, std::int64_t channels, std::int64_t filters, std::int64_t block, Bf16* u);

/// Pixels of images one after another: each row of an image ends in a pixel of zeros, and each image in a row
/// of them.
struct Line {
  std::int64_t channels;  ///< a multiple of kTogether
  std::int64_t row;       ///< pixels from one row to the next
};

/// Outputs of one block of filters at `pixels` (a multiple of kTogether) places: the upper left of the inputs
/// of place p is x + p * channels. To y + where[p] * filters, but where that is negative; past the caches
/// only if y is aligned to a line and filters are a multiple of kTogether.
void convolve(const Line& line, const Bf16* x, std::int64_t pixels, const Bf16* u, const std::int32_t* where,
              std::int64_t block, std::int64_t filters, Bf16* y);

/// y [groups * kGroup][16]: each row the products of kTogether numbers from x + offset on with as many rows
/// of u, added up over `steps` offsets. Rows of x are `stride` apart.
void convolve_rows(const Bf16* x, std::int64_t stride, const std::int64_t* offsets, std::int64_t steps,
                   const Bf16* u, std::int64_t groups, Bf16* y);
/// The same with two tiles of u a step: y [groups * kGroup / 2][2][16].
void convolve_rows_twice(const Bf16* x, std::int64_t stride, const std::int64_t* offsets, std::int64_t steps,
                         const Bf16* u, std::int64_t groups, Bf16* y);

/// kTogether pixels of 16 channels, `stride` apart: channels as rows of a tile, pixels in them.
void transpose(const Bf16* x, std::int64_t stride, Bf16* tile);
/// Pairs of pixels (0, 1), (2, 3), ... of 16 channels, channel by channel, as rows of a tile.
void pair_up(const Bf16* x, std::int64_t stride, std::int64_t pairs, Bf16* rows);
/// The same as `pairs` rows of even, and the pairs (1, 2), (3, 4), ... as rows of odd. One more pixel than 2
/// * pairs is read.
void interleave(const Bf16* x, std::int64_t stride, std::int64_t pairs, Bf16* even, Bf16* odd);
/// sums[2][2][16][16] += the products of two rows of `steps` transposed tiles with two of interleaved ones.
void accumulate(const Bf16* const (&rows)[2], const Bf16* const (&columns)[2], std::int64_t steps,
                float* sums);
/// sums[3][16][16] += the products of a row of `steps` transposed tiles with three of interleaved ones.
void accumulate_three(const Bf16* rows, const Bf16* const (&columns)[3], std::int64_t steps, float* sums);
/// Sums of 16 channels by 16 filters to dw [filters][tap][channels], from the first of either on.
void write_sums(const float* sums, std::int64_t tap, std::int64_t channel, std::int64_t channels,
                std::int64_t filter, std::int64_t filters, float* dw);

}  // namespace glidepath::amx
