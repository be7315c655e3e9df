// src/nn/kernels/amx/wide_sums.cpp - filters' gradients: products of one pixel of 32 images at a time.
#include <algorithm>
#include <cstring>

#include "nn/kernels/amx/strips.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/amx/wide.h"
#include "nn/kernels/filter_sums.h"
#include "nn/kernels/parallel.h"

namespace glidepath::amx {
namespace {

// Bytes of images, fewest and most, that sums are made of at once.
constexpr std::int64_t kFewestToSum = 1024 * 1024, kMostToSum = 8 * 1024 * 1024;
constexpr std::int64_t kBytes = sizeof(Bf16), kSide = 3, kBorder = 1;

/// Rows of so many pictures that a group of them fills a tile: those of a picture where there are enough
/// pictures, or else of equal parts of it, one below the other, that stand for pictures.
struct Parts {
  explicit Parts(const Shape& shape) {
    std::int64_t fewest = rows_of_tiles(shape, 1);
    for (std::int64_t i = 2; i <= shape.height; ++i) {
      // Parts need rows of others at their borders.
      if (shape.height % i != 0 || 5 * rows_of_tiles(shape, i) > 4 * fewest) continue;
      fewest = rows_of_tiles(shape, i);
      of_image = i;
    }
    height = shape.height / of_image;
    count = shape.images * of_image;
  }
  static std::int64_t rows_of_tiles(const Shape& shape, std::int64_t parts) {
    return blocks_of(shape.images * parts) * (shape.height / parts);
  }
  /// Bits of those of a group that have this row, of which the first and the last may be another one's.
  std::uint32_t which_have(std::int64_t group, std::int64_t row) const {
    std::uint32_t bits = 0;
    for (std::int64_t i = group * kTogether; i < std::min(count, (group + 1) * kTogether); ++i) {
      const bool is_outside = (row < 0 && i % of_image == 0) || (row >= height && (i + 1) % of_image == 0);
      if (!is_outside) bits |= std::uint32_t{1} << (i % kTogether);
    }
    return bits;
  }

  std::int64_t of_image = 1, height, count;
};

/// The sums of filters' gradients, [item][3][16][16], strip after strip in order. An item is what 16 filters
/// and 16 channels have in a row of the filter; those of some channels come together for all filters, so that
/// their inputs stay in the cache.
class FilterSums {
 public:
  FilterSums(const Shape& shape, const Bf16* x, const Bf16* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        channel_blocks_(blocks_of(shape.channels)),
        filter_blocks_(blocks_of(shape.filters)),
        filters_((shape.filters + kRows - 1) / kRows),
        channels_((shape.channels + kRows - 1) / kRows),
        together_(divisor_of(channels_)),
        parts_(shape),
        strips_(parts_.count, parts_.height, rows_at_once()),
        lines_(strips_.rows + (has_border() ? 2 * kBorder : 0)) {
    // Large sums have to be worth their way to the core and back: several groups together.
    if (strips_.of_group == 1)
      most_ = std::clamp<std::int64_t>(rows_that_fit() / parts_.height, 1, strips_.groups);
  }

  std::int64_t floats() const { return items() * kOfItem; }
  std::int64_t strips() const { return strips_.count(); }

  /// Of strips [begin, end), each step of whose work is done by divide(count, grain, body).
  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* sums, const Divide& divide) const {
    static thread_local Scratch<Bf16> of_rows, of_columns;
    Bf16* rows = of_rows.get(2 * channel_blocks_ * most_ * lines_ * of_line());
    Bf16* columns = of_columns.get(2 * filter_blocks_ * most_ * strips_.rows * of_line());
    std::fill_n(sums, floats(), 0.0F);
    for (std::int64_t first = begin; first < end; first += most_) {
      const std::int64_t groups = std::min(most_, end - first);
      const Strip strip = strips_.at(first);
      const std::int64_t kept = first > begin && strip.begin > 0 ? keep_border(rows, divide) : 0;
      const std::int64_t new_lines = lines_ - kept;
      divide(groups * (new_lines + strips_.rows), 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) {
          if (const std::int64_t group = i / new_lines; group < groups) {
            turn_inputs(strip, group, kept + i % new_lines, rows);
          } else {
            const std::int64_t rest = i - groups * new_lines;
            turn_gradients(strip, rest / strips_.rows, rest % strips_.rows, columns);
          }
        }
      });
      divide(items(), 1, [&](std::int64_t from, std::int64_t to) {
        const Tiles tiles;
        for (std::int64_t i = from; i < to; ++i)
          multiply(item(i), strip, groups, rows, columns, sums + i * kOfItem);
      });
    }
  }

  void write(const float* sums, float* dw) const {
    parallel_ranges(items(), 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) {
        const Item found = item(i);
        for (std::int64_t right = 0; right < kSide; ++right) {
          write_sums(sums + i * kOfItem + right * kRows * kRows, found.down * kSide + right,
                     found.channels * kRows, shape_.channels, found.filters * kRows, shape_.filters, dw);
        }
      }
    });
  }

 private:
  static constexpr std::int64_t kOfItem = kSide * kRows * kRows;
  /// Which 16 filters, which 16 channels, and the row of the filter.
  struct Item {
    std::int64_t filters, channels, down;
  };
  static std::int64_t divisor_of(std::int64_t count) {
    std::int64_t found = 4;
    while (count % found != 0) --found;
    return found;
  }
  std::int64_t items() const { return filters_ * channels_ * kSide; }
  Item item(std::int64_t i) const {
    const std::int64_t down = i % kSide, within = i / kSide % together_, rest = i / kSide / together_;
    return {rest % filters_, rest / filters_ * together_ + within, down};
  }

  /// Numbers of 16 channels of a row.
  std::int64_t of_line() const { return shape_.width * kOfTile; }
  std::int64_t rows_that_fit() const {
    const std::int64_t bytes =
        std::clamp(2 * floats() * std::int64_t{sizeof(float)}, kFewestToSum, kMostToSum);
    return bytes / (2 * (channel_blocks_ + filter_blocks_) * of_line() * kBytes);
  }
  std::int64_t rows_at_once() const {
    const std::int64_t rows = rows_that_fit();
    return rows >= parts_.height ? parts_.height : std::max<std::int64_t>(1, rows - kBorder);
  }
  /// Whether the rows above and below a strip are there too.
  bool has_border() const { return strips_.of_group > 1 || parts_.of_image > 1; }
  /// Which row a line of the inputs' has.
  std::int64_t row_of(const Strip& strip, std::int64_t line) const {
    return strip.begin + line - (has_border() ? kBorder : 0);
  }

  /// The last two rows of a strip are the first of the next one's. Returns their number.
  template <typename Divide>
  std::int64_t keep_border(Bf16* rows, const Divide& divide) const {
    divide(2 * channel_blocks_, 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t c = from; c < to; ++c) {
        Bf16* lines = rows + c * lines_ * of_line();
        std::memmove(lines, lines + strips_.rows * of_line(),
                     static_cast<std::size_t>(2 * kBorder * of_line()) * sizeof(Bf16));
      }
    });
    return 2 * kBorder;
  }

  /// Rows of tiles [channels / 16][group][line][pixel][16][32 images].
  void turn_inputs(const Strip& strip, std::int64_t group, std::int64_t line, Bf16* rows) const {
    const std::int64_t row = row_of(strip, line);
    const std::uint32_t which = parts_.which_have(strip.group + group, row);
    const std::int64_t first = (strip.group + group) * kTogether, of_block = most_ * lines_ * of_line(),
                       of_part = parts_.height * shape_.width * shape_.channels;
    const Bf16* x = x_ + first * of_part + row * shape_.width * shape_.channels;
    rows += (group * lines_ + line) * of_line();
    for (std::int64_t pixel = 0; pixel < shape_.width; ++pixel, x += shape_.channels, rows += kOfTile) {
      for (std::int64_t c = 0; c < channel_blocks_; ++c)
        transpose_images(x + c * kTogether, of_part, which, shape_.channels - c * kTogether,
                         rows + 2 * c * of_block, rows + (2 * c + 1) * of_block);
    }
  }

  /// Pairs of images [filters / 16][group][row][pixel][16 pairs][16][2].
  void turn_gradients(const Strip& strip, std::int64_t group, std::int64_t line, Bf16* columns) const {
    const std::int64_t row = strip.begin + line;
    if (row >= strip.end) return;
    const std::uint32_t which = parts_.which_have(strip.group + group, row);
    const std::int64_t first = (strip.group + group) * kTogether, of_block = most_ * strips_.rows * of_line(),
                       of_part = parts_.height * shape_.width * shape_.filters;
    const Bf16* dy = dy_ + first * of_part + row * shape_.width * shape_.filters;
    columns += (group * strips_.rows + line) * of_line();
    for (std::int64_t pixel = 0; pixel < shape_.width; ++pixel, dy += shape_.filters, columns += kOfTile) {
      for (std::int64_t k = 0; k < filter_blocks_; ++k)
        pair_images(dy + k * kTogether, of_part, which, shape_.filters - k * kTogether,
                    columns + 2 * k * of_block, columns + (2 * k + 1) * of_block);
    }
  }

  void multiply(const Item& item, const Strip& strip, std::int64_t groups, const Bf16* rows,
                const Bf16* columns, float* sums) const {
    const std::int64_t down = item.down - kBorder;
    // Gradients whose tap is within the image.
    std::int64_t begin = strip.begin, end = strip.end;
    if (parts_.of_image == 1) {
      begin = std::max(begin, -down);
      end = std::min(end, parts_.height - down);
    }
    if (begin >= end) return;
    const std::int64_t of_rows = lines_ * of_line(), of_columns = strips_.rows * of_line();
    accumulate_shifts(rows + item.channels * most_ * of_rows + (begin + down - row_of(strip, 0)) * of_line(),
                      columns + item.filters * most_ * of_columns + (begin - strip.begin) * of_line(),
                      {groups, of_rows, of_columns, end - begin, of_line(), shape_.width}, sums);
  }

  Shape shape_;
  const Bf16 *x_, *dy_;
  std::int64_t channel_blocks_, filter_blocks_;  // of kTogether
  std::int64_t filters_, channels_, together_;   // sixteens, and how many of the latter come together
  Parts parts_;
  Strips strips_;
  std::int64_t lines_, most_ = 1;  // of a group, and groups at once
};

}  // namespace

void wide_filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw) {
  const FilterSums sums(shape, x, dy);
  sum_in_chunks(sums, sums.strips(), 1, dw);
}

}  // namespace glidepath::amx
