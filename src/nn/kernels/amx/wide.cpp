// src/nn/kernels/amx/wide.cpp - a row of a tile for a pixel of all its channels: of neighbours in a picture,
// or, where pictures are small, of one place in 16 pictures.
#include "nn/kernels/amx/wide.h"

#include <algorithm>

#include "nn/kernels/amx/layout.h"
#include "nn/kernels/amx/strips.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/filter_sums.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/scratch.h"

namespace glidepath::amx {
namespace {

// Bytes of images that stay in a core's second cache while all filters pass by: of neighbouring pixels, which
// are used again at once, and of a row's.
constexpr std::int64_t kBytesOfPixels = 384 * 1024, kBytesOfRows = 768 * 1024;
// Pictures up to so wide have too many pixels at the border for tiles of neighbours.
constexpr std::int64_t kSmall = 8;

/// Filters in blocks of kTogether, as tiles.h has them.
class Packed {
 public:
  Packed(const Shape& shape, const Filters& filters)
      : blocks(blocks_of(shape.filters)),
        of_block_(kTaps * blocks_of(shape.channels) * kTogether * kTogether) {
    static thread_local Scratch<Bf16> memory;
    Bf16* u = memory.get(blocks * of_block_);
    parallel_ranges(blocks, 1, [&](std::int64_t first, std::int64_t end) {
      for (std::int64_t block = first; block < end; ++block) {
        if (filters.turned) {
          pack_turned(filters.w, filters.channels, shape.channels, block, u + block * of_block_);
        } else {
          pack_filters(filters.w, filters.channels, shape.filters, block, u + block * of_block_);
        }
      }
    });
    u_ = u;
  }
  const Bf16* block(std::int64_t which) const { return u_ + which * of_block_; }

  const std::int64_t blocks;

 private:
  std::int64_t of_block_;
  const Bf16* u_;
};

/// Tiles of neighbouring pixels of some images, and where each pixel's outputs go; -1 for none.
class PixelTiles {
 public:
  explicit PixelTiles(const Layout& layout)
      : layout_(layout),
        of_row_((layout.width + kRows - 1) / kRows),
        in_rows_(of_row_ * kRows * layout.height < layout.image) {}

  /// Even.
  std::int64_t count(std::int64_t images) const {
    return rounded_up(
        in_rows_ ? images * layout_.height * of_row_ : (images * layout_.image + kRows - 1) / kRows, 2);
  }
  void find(std::int64_t images, std::int32_t* starts, std::int32_t* where) const {
    const std::int64_t tiles = count(images);
    std::fill_n(where, tiles * kRows, -1);
    if (!in_rows_) {
      for (std::int64_t tile = 0; tile < tiles; ++tile)
        starts[tile] = static_cast<std::int32_t>(tile * kRows);
    }
    std::int64_t tile = 0, pixel = 0;
    for (std::int64_t row = 0; row < images * layout_.height; ++row) {
      const std::int64_t first =
          row / layout_.height * layout_.image + row % layout_.height * layout_.line.row;
      for (std::int64_t column = 0; column < layout_.width; ++column, ++pixel) {
        const std::int64_t place = in_rows_ ? tile * kRows + column : first + column;
        where[place] = static_cast<std::int32_t>(pixel);
      }
      for (std::int64_t i = 0; in_rows_ && i < of_row_; ++i, ++tile)
        starts[tile] = static_cast<std::int32_t>(first + i * kRows);
    }
    if (tile < tiles && in_rows_) starts[tile] = 0;  // one to make them even
  }

 private:
  const Layout& layout_;
  std::int64_t of_row_;
  bool in_rows_;  // of whole rows, where that makes fewer
};

void convolve_pixels(const Shape& shape, const Bf16* x, const Packed& packed, Bf16* y) {
  const Layout layout(shape, shape.channels, {rounded_up(shape.channels, kTogether), shape.width + 1});
  const PixelTiles pixel_tiles(layout);
  const std::int64_t fit = std::max<std::int64_t>(
      1, kBytesOfPixels / (layout.image * layout.line.channels * std::int64_t{sizeof(Bf16)}));
  const std::int64_t of_image = shape.height * shape.width * shape.filters;
  parallel_ranges(shape.images, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Scratch<Bf16> images;
    static thread_local Scratch<std::int32_t> places;
    // In parts of one size, or nearly.
    const std::int64_t parts = (end - begin + fit - 1) / fit, most = (end - begin + parts - 1) / parts;
    Bf16* line = images.get(layout.numbers(most));
    std::int32_t* where = places.get(pixel_tiles.count(most) * (kRows + 1));
    std::int32_t* starts = where + pixel_tiles.count(most) * kRows;
    std::fill_n(line, layout.numbers(most), Bf16{0});
    std::int64_t known = 0;
    const Tiles tiles;
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      if (count != known) pixel_tiles.find(count, starts, where);
      known = count;
      for (std::int64_t i = 0; i < count; ++i) layout.fill(x, first + i, i, line);
      for (std::int64_t block = 0; block < packed.blocks; ++block) {
        convolve(layout.line.channels, layout.line.row, line, pixel_tiles.count(count), starts,
                 packed.block(block), where, block, shape.filters, y + first * of_image);
      }
    }
  });
}

/// A row of outputs after the other of kTogether images. Taps beyond the border cost nothing, which of
/// pictures of 4 x 4 is a third of them.
class ByImages {
 public:
  explicit ByImages(const Shape& shape)
      : shape_(shape),
        channels_(rounded_up(shape.channels, kTogether)),
        of_row_(shape.width * kTogether * channels_),
        strips_(shape.images, shape.height,
                std::max<std::int64_t>(1, kBytesOfRows / (of_row_ * std::int64_t{sizeof(Bf16)}) - 2)),
        lines_(std::min(strips_.rows + 2, shape.height)) {}

  std::int64_t strips() const { return strips_.count(); }

  void run(const Bf16* x, const Packed& packed, std::int64_t begin, std::int64_t end, Bf16* y) const {
    static thread_local Scratch<Bf16> memory;
    Bf16* lines = memory.get(lines_ * of_row_);
    const Tiles tiles;
    std::int64_t group = -1, filled = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const Strip strip = strips_.at(i);
      if (strip.group != group) filled = std::max<std::int64_t>(0, strip.begin - 1);
      group = strip.group;
      for (; filled < std::min(shape_.height, strip.end + 1); ++filled) fill(x, group, filled, lines);
      const std::int64_t of_image = shape_.height * shape_.width * shape_.filters;
      const Images images{std::min(kTogether, shape_.images - group * kTogether), of_image, shape_.filters};
      for (std::int64_t block = 0; block < packed.blocks; ++block) {
        for (std::int64_t row = strip.begin; row < strip.end; ++row) {
          const Bf16* const around[] = {line(lines, row - 1), line(lines, row), line(lines, row + 1)};
          convolve_row(around, shape_.width, channels_, packed.block(block), block, images,
                       y + group * kTogether * of_image + row * shape_.width * shape_.filters);
        }
      }
    }
  }

 private:
  /// Null beyond the border.
  const Bf16* line(const Bf16* lines, std::int64_t row) const {
    return row < 0 || row >= shape_.height ? nullptr : lines + row % lines_ * of_row_;
  }

  /// A row of a group's images: [pixel][image][channel].
  void fill(const Bf16* x, std::int64_t group, std::int64_t row, Bf16* lines) const {
    Bf16* to = lines + row % lines_ * of_row_;
    const std::int64_t first = group * kTogether, last = std::min(shape_.images, first + kTogether);
    for (std::int64_t image = first; image < last; ++image, to += channels_) {
      spread(x + (image * shape_.height + row) * shape_.width * shape_.channels, shape_.channels,
             shape_.width, kTogether * channels_, to);
    }
  }

  Shape shape_;
  std::int64_t channels_, of_row_;
  Strips strips_;
  std::int64_t lines_;
};

}  // namespace

void convolve_wide(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y) {
  const Packed packed(shape, filters);
  if (shape.width > kSmall || shape.images < kRows) return convolve_pixels(shape, x, packed, y);
  const ByImages by_images(shape);
  parallel_ranges(by_images.strips(), 1,
                  [&](std::int64_t begin, std::int64_t end) { by_images.run(x, packed, begin, end, y); });
}

}  // namespace glidepath::amx
