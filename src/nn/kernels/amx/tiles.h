// src/nn/kernels/amx/tiles.h - the loops of convolutions on AMX: products of tiles of 16 x 32 numbers.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath::amx {

// Rows of a tile, the numbers in one, and how many pixels, channels or filters are multiplied together: two
// tiles by two.
constexpr std::int64_t kRows = 16, kTogether = 32, kOfTile = kRows * kTogether, kTaps = 9, kGroup = 4 * kRows,
                       kSide = 3;

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

/// Filters w [filters][tap][channels], a block of kTogether of them, for the functions below: rounded, in
/// pairs of channels, filled up with zeros. u: taps * (channels, rounded up to kTogether) * kTogether
/// numbers.
void pack_filters(const float* w, std::int64_t taps, std::int64_t channels, std::int64_t filters,
                  std::int64_t block, Bf16* u);
/// The same turned, for the gradient of the inputs: taps from the last to the first, a block of channels in
/// the place of the filters, filters in that of the channels.
void pack_turned(const float* w, std::int64_t taps, std::int64_t channels, std::int64_t filters,
                 std::int64_t block, Bf16* u);

/// Outputs of one block of filters of `tiles` times kRows pixels that lie together, an even number: the upper
/// left inputs of the first of tile t are x + starts[t] * channels, those of the next row `row` pixels on;
/// channels are a multiple of kTogether. To y + where[p] * filters, but where that is negative.
void convolve(std::int64_t channels, std::int64_t row, const Bf16* x, std::int64_t tiles,
              const std::int32_t* starts, const Bf16* u, const std::int32_t* where, std::int64_t block,
              std::int64_t filters, Bf16* y);

/// Where the outputs of a pixel go: to so many images' (kTogether at most), so many numbers from one to the
/// next, and how many numbers a pixel has.
struct Images {
  std::int64_t count, of_image, filters;
};

/// What an output takes along one axis: inputs, and the places of their taps in the filter.
struct Reach {
  std::int64_t count = 0, inputs[kSide] = {}, taps[kSide] = {};
};
/// A row of inputs [pixel][kTogether images][channels], channels a multiple of kTogether, and the filters of
/// the row's first tap.
struct InputRow {
  const Bf16 *x, *u;
};
/// A row of outputs of one block of filters, from as many rows of inputs. y: the row of the first image.
void convolve_row(const InputRow* rows, std::int64_t count, const Reach* columns, std::int64_t width,
                  std::int64_t channels, std::int64_t block, const Images& images, Bf16* y);
/// A row of an image, `width` pixels of any number of channels, to places `stride` apart, filled up with
/// zeros to a multiple of kTogether.
void spread(const Bf16* x, std::int64_t channels, std::int64_t width, std::int64_t stride, Bf16* to);

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
/// The same pixel of kTogether images, `stride` apart, of those whose bits are set, the others zeros, and of
/// `channels` numbers of kTogether: channels as rows of two tiles, images in them.
void transpose_images(const Bf16* x, std::int64_t stride, std::uint32_t which, std::int64_t channels,
                      Bf16* upper, Bf16* lower);
/// Pairs of images, channel by channel, as rows of two tiles.
void pair_images(const Bf16* x, std::int64_t stride, std::uint32_t which, std::int64_t channels, Bf16* upper,
                 Bf16* lower);
/// Transposed tiles of inputs and paired ones of gradients: groups of lines of pixels, one after another but
/// for the numbers from one line, and group, to the next.
struct Walk {
  std::int64_t groups, lines, inputs, gradients;
  std::int64_t of_group_of_inputs, of_line_of_inputs, of_group_of_gradients, of_line_of_gradients;
};
/// sums[3][16][16] += the products of each line of gradients with inputs: those to the left, at the same
/// place and to the right. Places are `stride` inputs apart, 1 or 2.
void accumulate_shifts(const Bf16* inputs, const Bf16* gradients, const Walk& walk, std::int64_t stride,
                       float* sums);
/// sums[16][16] += those at the same place alone.
void accumulate_places(const Bf16* inputs, const Bf16* gradients, const Walk& walk, float* sums);
/// sums[3][16][16] += the products of a row of `steps` transposed tiles with three of interleaved ones.
void accumulate_three(const Bf16* rows, const Bf16* const (&columns)[3], std::int64_t steps, float* sums);
/// Sums of 16 channels by 16 filters to dw [filters][tap][channels], from the first of either on.
void write_sums(const float* sums, std::int64_t tap, std::int64_t taps, std::int64_t channel,
                std::int64_t channels, std::int64_t filter, std::int64_t filters, float* dw);

}  // namespace glidepath::amx
