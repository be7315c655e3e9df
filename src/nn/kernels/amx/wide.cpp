// src/nn/kernels/amx/wide.cpp - a row of a tile for a pixel of all its channels: of neighbours in a picture,
// or, where pictures are small, of one place in 16 pictures.
#include "nn/kernels/amx/wide.h"

#include <algorithm>
#include <utility>
#include <vector>

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

/// One pass: numbers of the inputs and of the outputs, and the filters in blocks of kTogether, as tiles.h has
/// them.
struct Pass {
  Pass(const Shape& shape, const Filters& filters)
      : inputs(filters.turned ? shape.filters : shape.channels),
        outputs(filters.turned ? shape.channels : shape.filters),
        channels(rounded_up(inputs, kTogether)),
        blocks(blocks_of(outputs)),
        of_row_of_taps(shape.side * channels * kTogether),
        of_block(shape.side * of_row_of_taps) {
    static thread_local Scratch<Bf16> memory;
    Bf16* packed = memory.get(blocks * of_block);
    parallel_ranges(blocks, 1, [&](std::int64_t first, std::int64_t end) {
      const auto pack = filters.turned ? pack_turned : pack_filters;
      for (std::int64_t block = first; block < end; ++block)
        pack(filters.w, shape.side * shape.side, shape.channels, shape.filters, block,
             packed + block * of_block);
    });
    u = packed;
  }

  std::int64_t inputs, outputs, channels, blocks, of_row_of_taps, of_block;
  const Bf16* u;
};

/// Tiles of neighbouring pixels of some images, and where each pixel's outputs go; -1 for none.
class PixelTiles {
 public:
  explicit PixelTiles(const Layout& layout)
      : layout_(layout),
        of_row_(divided_up(layout.width, kRows)),
        in_rows_(of_row_ * kRows * layout.height < layout.image) {}

  /// Even.
  std::int64_t count(std::int64_t images) const {
    return rounded_up(
        in_rows_ ? images * layout_.height * of_row_ : divided_up(images * layout_.image, kRows), 2);
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

void convolve_pixels(const Shape& shape, const Bf16* x, const Pass& pass, Bf16* y) {
  const Layout layout(shape, pass.inputs, {pass.channels, shape.width + 1});
  const PixelTiles pixel_tiles(layout);
  const std::int64_t fit = std::max<std::int64_t>(
      1, kBytesOfPixels / (layout.image * layout.line.channels * std::int64_t{sizeof(Bf16)}));
  const std::int64_t of_image = shape.height * shape.width * pass.outputs;
  parallel_ranges(shape.images, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Scratch<Bf16> images;
    static thread_local Scratch<std::int32_t> places;
    // In parts of one size, or nearly.
    const std::int64_t parts = divided_up(end - begin, fit), most = divided_up(end - begin, parts);
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
      for (std::int64_t block = 0; block < pass.blocks; ++block) {
        convolve(pass.channels, layout.line.row, line, pixel_tiles.count(count), starts,
                 pass.u + block * pass.of_block, where, block, pass.outputs, y + first * of_image);
      }
    }
  });
}

/// Which inputs the outputs take along one axis.
struct Axis {
  Axis(std::int64_t from, std::int64_t to, const Shape& shape, bool turned)
      : inputs(from), reach(static_cast<std::size_t>(to)) {
    for (std::int64_t i = 0; i < to; ++i) {
      Reach& found = reach[static_cast<std::size_t>(i)];
      for (std::int64_t tap = 0; tap < shape.side; ++tap) {
        // A gradient is of the inputs that its output was made of.
        std::int64_t input = (turned ? i : i * shape.stride) + tap - shape.border();
        if (turned && input % shape.stride != 0) continue;
        if (turned) input /= shape.stride;
        if (input < 0 || input >= inputs) continue;
        found.inputs[found.count] = input;
        found.taps[found.count++] = tap;
      }
    }
  }
  std::int64_t outputs() const { return static_cast<std::int64_t>(reach.size()); }
  const Reach& at(std::int64_t i) const { return reach[static_cast<std::size_t>(i)]; }
  /// Inputs of outputs [begin, end): the first, and the one after the last.
  std::pair<std::int64_t, std::int64_t> span(std::int64_t begin, std::int64_t end) const {
    std::int64_t first = inputs, last = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      if (at(i).count == 0) continue;
      first = std::min(first, at(i).inputs[0]);
      last = std::max(last, at(i).inputs[at(i).count - 1] + 1);
    }
    return {std::min(first, last), last};
  }

  std::int64_t inputs;
  std::vector<Reach> reach;
};

/// A row of outputs after the other of kTogether images. Taps beyond the border cost nothing, which of
/// pictures of 4 x 4 is a third of them.
class ByImages {
 public:
  ByImages(const Shape& shape, bool turned)
      : images_(shape.images),
        rows_(turned ? Axis(shape.out_height(), shape.height, shape, true)
                     : Axis(shape.height, shape.out_height(), shape, false)),
        columns_(turned ? Axis(shape.out_width(), shape.width, shape, true)
                        : Axis(shape.width, shape.out_width(), shape, false)) {}

  void run(const Bf16* x, const Pass& pass, Bf16* y) const {
    const std::int64_t of_row = columns_.inputs * kTogether * pass.channels;
    const std::int64_t fit = kBytesOfRows / (of_row * std::int64_t{sizeof(Bf16)});
    std::int64_t rows = rows_.outputs();
    while (rows > 1 && lines_of(rows) > fit) --rows;
    const Strips strips(images_, rows_.outputs(), rows);
    const std::int64_t lines = lines_of(strips.rows);
    parallel_ranges(strips.count(), 1, [&](std::int64_t begin, std::int64_t end) {
      run_strips(x, pass, strips, lines, of_row, begin, end, y);
    });
  }

 private:
  /// Rows of inputs that any strip of so many takes.
  std::int64_t lines_of(std::int64_t rows) const {
    std::int64_t most = 1;
    for (std::int64_t begin = 0; begin < rows_.outputs(); begin += rows) {
      const auto [first, last] = rows_.span(begin, std::min(rows_.outputs(), begin + rows));
      most = std::max(most, last - first);
    }
    return most;
  }

  void run_strips(const Bf16* x, const Pass& pass, const Strips& strips, std::int64_t count,
                  std::int64_t of_row, std::int64_t begin, std::int64_t end, Bf16* y) const {
    static thread_local Scratch<Bf16> memory;
    const std::int64_t of_result = columns_.outputs() * pass.outputs;
    Bf16* lines = memory.get(count * of_row);
    const Tiles tiles;
    std::int64_t group = -1, filled = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const Strip strip = strips.at(i);
      const auto [first, last] = rows_.span(strip.begin, strip.end);
      filled = strip.group == group ? std::max(filled, first) : first;
      group = strip.group;
      for (; filled < last; ++filled) fill(x, pass, filled, group, lines + filled % count * of_row);
      const std::int64_t of_image = rows_.outputs() * of_result;
      const Images images{std::min(kTogether, images_ - group * kTogether), of_image, pass.outputs};
      for (std::int64_t block = 0; block < pass.blocks; ++block) {
        for (std::int64_t row = strip.begin; row < strip.end; ++row) {
          InputRow around[kSide];
          const Reach& reach = rows_.at(row);
          for (std::int64_t tap = 0; tap < reach.count; ++tap) {
            around[tap] = {lines + reach.inputs[tap] % count * of_row,
                           pass.u + block * pass.of_block + reach.taps[tap] * pass.of_row_of_taps};
          }
          convolve_row(around, reach.count, columns_.reach.data(), columns_.outputs(), pass.channels, block,
                       images, y + group * kTogether * of_image + row * of_result);
        }
      }
    }
  }

  /// A row of a group's images: [pixel][image][channel].
  void fill(const Bf16* x, const Pass& pass, std::int64_t row, std::int64_t group, Bf16* to) const {
    const std::int64_t first = group * kTogether, last = std::min(images_, first + kTogether);
    for (std::int64_t image = first; image < last; ++image, to += pass.channels) {
      spread(x + (image * rows_.inputs + row) * columns_.inputs * pass.inputs, pass.inputs, columns_.inputs,
             kTogether * pass.channels, to);
    }
  }

  std::int64_t images_;
  Axis rows_, columns_;
};

}  // namespace

void convolve_wide(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y) {
  const Pass pass(shape, filters);
  const bool has_neighbours = shape.side == kSide && shape.stride == 1;
  if (has_neighbours && (shape.width > kSmall || shape.images < kRows))
    return convolve_pixels(shape, x, pass, y);
  ByImages(shape, filters.turned).run(x, pass, y);
}

}  // namespace glidepath::amx
