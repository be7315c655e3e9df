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
constexpr std::int64_t kBytes = sizeof(Bf16);

/// Rows of so many pictures that a group of them fills a tile: those of a picture where there are enough
/// pictures, or else of equal parts of it, one below the other, that stand for pictures.
struct Parts {
  explicit Parts(const Shape& shape) {
    std::int64_t fewest = rows_of_tiles(shape, 1);
    for (std::int64_t i = 2; i <= shape.height && shape.stride == 1; ++i) {
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

/// The sums of filters' gradients, [item][side][16][16], strip after strip in order. An item is what 16
/// filters and 16 channels have in a row of the filter; those of some channels come together for all filters,
/// so that their inputs stay in the cache.
class FilterSums {
 public:
  FilterSums(const Shape& shape, const Bf16* x, const Bf16* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        channel_blocks_(blocks_of(shape.channels)),
        filter_blocks_(blocks_of(shape.filters)),
        filters_(divided_up(shape.filters, kRows)),
        channels_(divided_up(shape.channels, kRows)),
        together_(divisor_of(channels_)),
        parts_(shape),
        strips_(parts_.count, out_height(), rows_at_once()),
        lines_(lines_of_strip()) {
    // Large sums have to be worth their way to the core and back: several groups together.
    if (strips_.of_group == 1)
      most_ = std::clamp<std::int64_t>(rows_that_fit() / out_height(), 1, strips_.groups);
  }

  std::int64_t floats() const { return items() * of_item(); }
  std::int64_t strips() const { return strips_.count(); }

  /// Of strips [begin, end), each step of whose work is done by divide(count, grain, body).
  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* sums, const Divide& divide) const {
    static thread_local Scratch<Bf16> of_rows, of_columns;
    Bf16* rows = of_rows.get(2 * channel_blocks_ * most_ * lines_ * of_line_of_inputs());
    Bf16* columns = of_columns.get(2 * filter_blocks_ * most_ * strips_.rows * of_line_of_gradients());
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
          multiply(item(i), strip, groups, rows, columns, sums + i * of_item());
      });
    }
  }

  void write(const float* sums, float* dw) const {
    parallel_ranges(items(), 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) {
        const Item found = item(i);
        for (std::int64_t right = 0; right < shape_.side; ++right) {
          write_sums(sums + i * of_item() + right * kRows * kRows, found.down * shape_.side + right,
                     shape_.side * shape_.side, found.channels * kRows, shape_.channels,
                     found.filters * kRows, shape_.filters, dw);
        }
      }
    });
  }

 private:
  std::int64_t of_item() const { return shape_.side * kRows * kRows; }
  /// Which 16 filters, which 16 channels, and the row of the filter.
  struct Item {
    std::int64_t filters, channels, down;
  };
  static std::int64_t divisor_of(std::int64_t count) {
    std::int64_t found = 4;
    while (count % found != 0) --found;
    return found;
  }
  std::int64_t items() const { return filters_ * channels_ * shape_.side; }
  Item item(std::int64_t i) const {
    const std::int64_t down = i % shape_.side, which = i / shape_.side, within = which % together_,
                       rest = which / together_;
    return {rest % filters_, rest / filters_ * together_ + within, down};
  }

  /// Rows of gradients of a part.
  std::int64_t out_height() const { return (parts_.height - 1) / shape_.stride + 1; }
  /// Of filters of one tap only the inputs are there that it takes.
  std::int64_t step() const { return shape_.side == 1 ? shape_.stride : 1; }
  std::int64_t inputs_in_line() const { return (shape_.width - 1) / step() + 1; }
  /// Rows of inputs from one row of gradients to the next.
  std::int64_t down_stride() const { return shape_.stride / step(); }
  /// Numbers of 16 channels of a row.
  std::int64_t of_line_of_inputs() const { return inputs_in_line() * kOfTile; }
  std::int64_t of_line_of_gradients() const { return shape_.out_width() * kOfTile; }

  std::int64_t rows_that_fit() const {
    const std::int64_t bytes =
        std::clamp(2 * floats() * std::int64_t{sizeof(float)}, kFewestToSum, kMostToSum);
    return bytes / (2 * kBytes *
                    (channel_blocks_ * down_stride() * of_line_of_inputs() +
                     filter_blocks_ * of_line_of_gradients()));
  }
  std::int64_t rows_at_once() const {
    const std::int64_t rows = rows_that_fit();
    return rows >= out_height() ? out_height() : std::max<std::int64_t>(1, rows - 1);
  }
  /// Whether the rows above and below a strip are there too.
  bool has_border() const { return shape_.side > 1 && (strips_.of_group > 1 || parts_.of_image > 1); }
  std::int64_t lines_of_strip() const {
    return has_border() || shape_.side == 1 ? down_stride() * (strips_.rows - 1) + shape_.side
                                            : parts_.height;
  }
  /// Which row of inputs a line has.
  std::int64_t row_of(const Strip& strip, std::int64_t line) const {
    const std::int64_t first =
        has_border() || shape_.side == 1 ? strip.begin * shape_.stride - shape_.border() : 0;
    return first + line * step();
  }

  /// The last rows of a strip are the first of the next one's. Returns their number.
  template <typename Divide>
  std::int64_t keep_border(Bf16* rows, const Divide& divide) const {
    const std::int64_t kept = shape_.side - down_stride(), of_line = of_line_of_inputs();
    if (kept <= 0) return 0;
    divide(2 * channel_blocks_, 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t c = from; c < to; ++c) {
        Bf16* lines = rows + c * lines_ * of_line;
        std::memmove(lines, lines + (lines_ - kept) * of_line,
                     static_cast<std::size_t>(kept * of_line) * sizeof(Bf16));
      }
    });
    return kept;
  }

  /// Rows of tiles [channels / 16][group][line][pixel][16][32 images].
  void turn_inputs(const Strip& strip, std::int64_t group, std::int64_t line, Bf16* rows) const {
    const std::int64_t row = row_of(strip, line);
    const std::uint32_t which = parts_.which_have(strip.group + group, row);
    const std::int64_t first = (strip.group + group) * kTogether,
                       of_block = most_ * lines_ * of_line_of_inputs(),
                       of_part = parts_.height * shape_.width * shape_.channels;
    const Bf16* x = x_ + first * of_part + row * shape_.width * shape_.channels;
    rows += (group * lines_ + line) * of_line_of_inputs();
    for (std::int64_t i = 0; i < inputs_in_line(); ++i, x += step() * shape_.channels, rows += kOfTile) {
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
    const std::int64_t first = (strip.group + group) * kTogether,
                       of_block = most_ * strips_.rows * of_line_of_gradients(),
                       of_part = out_height() * shape_.out_width() * shape_.filters;
    const Bf16* dy = dy_ + first * of_part + row * shape_.out_width() * shape_.filters;
    columns += (group * strips_.rows + line) * of_line_of_gradients();
    for (std::int64_t i = 0; i < shape_.out_width(); ++i, dy += shape_.filters, columns += kOfTile) {
      for (std::int64_t k = 0; k < filter_blocks_; ++k)
        pair_images(dy + k * kTogether, of_part, which, shape_.filters - k * kTogether,
                    columns + 2 * k * of_block, columns + (2 * k + 1) * of_block);
    }
  }

  void multiply(const Item& item, const Strip& strip, std::int64_t groups, const Bf16* rows,
                const Bf16* columns, float* sums) const {
    const std::int64_t down = item.down - shape_.border();
    // Gradients whose tap is within the image.
    std::int64_t begin = strip.begin, end = strip.end;
    if (parts_.of_image == 1) {
      begin = std::max(begin, -down);
      end = std::min(end, divided_up(parts_.height - down, shape_.stride));
    }
    if (begin >= end) return;
    const std::int64_t line = (begin * shape_.stride + down - row_of(strip, 0)) / step();
    const std::int64_t of_inputs = of_line_of_inputs(), of_gradients = of_line_of_gradients();
    const Walk walk{groups,
                    end - begin,
                    inputs_in_line(),
                    shape_.out_width(),
                    lines_ * of_inputs,
                    down_stride() * of_inputs,
                    strips_.rows * of_gradients,
                    of_gradients};
    rows += (item.channels * most_ * lines_ + line) * of_inputs;
    columns += (item.filters * most_ * strips_.rows + begin - strip.begin) * of_gradients;
    if (shape_.side == 1) return accumulate_places(rows, columns, walk, sums);
    accumulate_shifts(rows, columns, walk, shape_.stride, sums);
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
