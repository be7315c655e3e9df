// src/nn/kernels/amx/narrow.cpp - products that take several pixels together, so that tiles are full.
#include "nn/kernels/amx/narrow.h"

#include <algorithm>
#include <array>

#include "nn/kernels/amx/layout.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/filter_sums.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/scratch.h"
#include "nn/kernels/winograd/kernels.h"

namespace glidepath::amx {
namespace {

// The pixels that a row of a tile has outputs for, bytes of images, and of
// images turned into tiles, that a core's caches hold.
constexpr std::int64_t kPair = 2, kBytesOfImages = 96 * 1024, kBytesToSum = 128 * 1024;

/// The numbers of a pixel, filled up with zeros: 4, 8 or a multiple of 16.
std::int64_t filled(std::int64_t channels) {
  return channels <= kMostColours       ? kMostColours
         : channels <= winograd::kGrain ? winograd::kGrain
                                        : rounded_up(channels, kRows);
}
/// Rows are whole pairs of pixels: tiles of full lines of the cache are loaded in half the time.
Line paired_line(const Shape& shape, std::int64_t channels) {
  return {filled(channels), rounded_up(shape.width + 1, kPair)};
}
/// How many pixels of so many numbers make 16.
std::int64_t pixels_in_row(std::int64_t numbers) { return std::max<std::int64_t>(1, kRows / numbers); }

std::int64_t images_in(std::int64_t bytes, std::int64_t bytes_of_image, std::int64_t images) {
  return std::clamp<std::int64_t>(bytes / bytes_of_image, 1, std::max<std::int64_t>(1, images));
}

/// y of x. A row of a tile is a window around a pair of pixels, from which come all filters' outputs of both,
/// or 16 filters' of the one and of the other.
class Convolution {
 public:
  Convolution(const Shape& shape, const Filters& filters)
      : shape_(shape),
        inputs_(shape, shape.channels, paired_line(shape, shape.channels)),
        numbers_(std::clamp(filled(shape.filters), kRows / kPair, kRows)),
        columns_(numbers_ < kRows ? 1 : kPair),
        blocks_(divided_up(shape.filters, kRows)) {
    const std::int64_t channels = inputs_.line.channels, pixels = kTogether / channels;
    steps_of_row_ = (kPair + kSide - 1 + pixels - 1) / pixels;
    for (std::int64_t step = 0; step < steps(); ++step) {
      offsets_[static_cast<std::size_t>(step)] =
          (step / steps_of_row_ * inputs_.line.row + step % steps_of_row_ * pixels) * channels;
    }
    u_ = pack(filters);
  }

  /// Of the images [begin, end).
  void run(const Bf16* x, std::int64_t begin, std::int64_t end, Bf16* y) const {
    static thread_local Scratch<Bf16> of_inputs, of_outputs;
    const std::int64_t bytes = inputs_.image * inputs_.line.channels * std::int64_t{sizeof(Bf16)};
    const std::int64_t most = images_in(kBytesOfImages, bytes, end - begin);
    // Windows of the last group reach beyond the pixels.
    const std::int64_t numbers = inputs_.numbers(most) + (of_group() + kTogether) * inputs_.line.channels;
    Bf16* line = of_inputs.get(numbers);
    Bf16* found = of_outputs.get(groups(most) * kGroup * kRows);
    std::fill_n(line, numbers, Bf16{0});
    const Tiles tiles;
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      for (std::int64_t i = 0; i < count; ++i) inputs_.fill(x, first + i, i, line);
      for (std::int64_t block = 0; block < blocks_; ++block) {
        const auto multiply = columns_ == 1 ? convolve_rows : convolve_rows_twice;
        multiply(line, kPair * inputs_.line.channels, offsets_.data(), steps(), u_ + block * of_block(),
                 groups(count), found);
        write(found, count, block, y + first * shape_.height * shape_.width * shape_.filters);
      }
    }
  }

 private:
  std::int64_t steps() const { return kSide * steps_of_row_; }
  std::int64_t of_block() const { return steps() * columns_ * kOfTile; }
  /// Pixels.
  std::int64_t of_group() const { return kGroup * kPair / columns_; }
  std::int64_t groups(std::int64_t images) const {
    return (images * inputs_.image + of_group() - 1) / of_group();
  }

  /// [filters / 16][step][columns][32 numbers of the window, in pairs][16 of (pixel, filter)][2]
  const Bf16* pack(const Filters& filters) const {
    static thread_local Scratch<Bf16> memory;
    Bf16* u = memory.get(blocks_ * of_block());
    std::fill_n(u, blocks_ * of_block(), Bf16{0});
    const std::int64_t channels = inputs_.line.channels, pixels = kTogether / channels;
    for (std::int64_t i = 0; i < blocks_ * steps(); ++i) {
      const std::int64_t step = i % steps(), first = i / steps() * kRows;
      for (std::int64_t number = 0; number < kTogether; ++number) {
        const std::int64_t channel = number % channels;
        const std::int64_t pixel = step % steps_of_row_ * pixels + number / channels;
        for (std::int64_t output = 0; output < kPair && channel < shape_.channels; ++output) {
          const std::int64_t tap = pixel - output;
          if (tap < 0 || tap >= kSide) continue;
          const std::int64_t column = output * numbers_;
          Bf16* row = u + (i * columns_ + column / kRows) * kOfTile + number / 2 * kTogether +
                      column % kRows * 2 + number % 2;
          for (std::int64_t k = 0; k < std::min(numbers_, shape_.filters - first); ++k)
            store_number(row + 2 * k, filters.at(first + k, step / steps_of_row_ * kSide + tap, channel));
        }
      }
    }
    return u;
  }

  void write(const Bf16* found, std::int64_t images, std::int64_t block, Bf16* y) const {
    const std::int64_t filters = std::min(shape_.filters - block * kRows, numbers_);
    y += block * kRows;
    for (std::int64_t i = 0; i < images; ++i) {
      for (std::int64_t row = 0; row < shape_.height; ++row) {
        const Bf16* from = found + (i * inputs_.image + row * inputs_.line.row) * numbers_;
        Bf16* to = y + (i * shape_.height + row) * shape_.width * shape_.filters;
        if (shape_.filters == numbers_) {
          copy_numbers(from, shape_.width * numbers_, to);
          continue;
        }
        for (std::int64_t column = 0; column < shape_.width; ++column)
          copy_numbers(from + column * numbers_, filters, to + column * shape_.filters);
      }
    }
  }

  Shape shape_;
  Layout inputs_;
  std::int64_t numbers_, columns_, blocks_, steps_of_row_;
  std::array<std::int64_t, kSide * kSide> offsets_;
  const Bf16* u_;
};

/// The sums of filters' gradients, [filters / 16][pass][row of the filter][16][16]. A tile has the channels
/// of several pixels by the filters of several, and with them several taps of a row of the filter; so many
/// passes have all.
class NarrowSums {
 public:
  NarrowSums(const Shape& shape, const Bf16* x, const Bf16* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        inputs_(shape, shape.channels, paired_line(shape, shape.channels)),
        gradients_(shape, shape.filters, paired_line(shape, shape.filters)),
        of_inputs_(pixels_in_row(inputs_.line.channels)),
        of_gradients_(pixels_in_row(gradients_.line.channels)),
        passes_((kSide + taps() - 1) / taps()),
        blocks_((gradients_.line.channels + kRows - 1) / kRows) {}

  std::int64_t floats() const { return blocks_ * passes_ * kSide * kSums; }

  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* sums, const Divide& /*divide*/) const {
    static thread_local Scratch<Bf16> inputs, gradients, rows, columns;
    const std::int64_t of_pixel =
        inputs_.line.channels + gradients_.line.channels + kRows + 2 * blocks_ * kRows;
    const std::int64_t most =
        images_in(kBytesToSum, inputs_.image * of_pixel * std::int64_t{sizeof(Bf16)}, end - begin);
    const std::int64_t pixels = rounded_up(most * inputs_.image + inputs_.lead, kTogether);
    const std::int64_t pairs = (pixels + lead_of_gradients()) / 2;
    const std::int64_t numbers_of_x = (pixels + kTogether) * inputs_.line.channels,
                       numbers_of_dy = (2 * pairs + kTogether) * gradients_.line.channels;
    Bf16* x = inputs.get(numbers_of_x);
    Bf16* dy = gradients.get(numbers_of_dy);
    Bf16* turned = rows.get(kRows * pixels);
    Bf16* paired = columns.get(blocks_ * 2 * pairs * kTogether);
    std::fill_n(sums, floats(), 0.0F);
    const Tiles tiles;
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      if (first == begin || count < most) {
        std::fill_n(x, numbers_of_x, Bf16{0});
        std::fill_n(dy, numbers_of_dy, Bf16{0});
      }
      Bf16* of_layout = dy + (lead_of_gradients() - gradients_.lead) * gradients_.line.channels;
      for (std::int64_t i = 0; i < count; ++i) {
        inputs_.fill(x_, first + i, i, x);
        gradients_.fill(dy_, first + i, i, of_layout);
      }
      for (std::int64_t pixel = 0; pixel < pixels; pixel += kTogether)
        transpose(x + pixel * inputs_.line.channels, inputs_.line.channels, turned + pixel * kRows);
      for (std::int64_t block = 0; block < blocks_; ++block) {
        for (std::int64_t shift = 0; shift < 2; ++shift) {
          if (!has_shift(shift)) continue;
          pair_up(dy + shift * gradients_.line.channels + block * kRows, gradients_.line.channels, pairs,
                  paired + (2 * block + shift) * pairs * kTogether);
        }
      }
      multiply(turned, paired, pixels, pairs, sums);
    }
  }

  void write(const float* sums, float* dw) const {
    for (std::int64_t filter = 0; filter < shape_.filters; ++filter) {
      for (std::int64_t tap = 0; tap < kTaps; ++tap) {
        for (std::int64_t channel = 0; channel < shape_.channels; ++channel)
          dw[(filter * kTaps + tap) * shape_.channels + channel] = sums[place(filter, tap, channel)];
      }
    }
  }

 private:
  static constexpr std::int64_t kSums = kRows * kRows;

  /// Of one tile, in a row of the filter.
  std::int64_t taps() const { return of_inputs_ + of_gradients_ - 1; }

  /// Even, and enough for every shift.
  std::int64_t lead_of_gradients() const { return 2 * inputs_.line.row + 4; }

  std::int64_t shift_of(std::int64_t pass) const { return of_gradients_ - 1 + pass * taps(); }
  /// Whether a pass takes gradients in pairs that begin with the first pixel, or the second.
  bool has_shift(std::int64_t parity) const {
    return shift_of(0) % 2 == parity || (passes_ > 1 && shift_of(1) % 2 == parity);
  }

  void multiply(const Bf16* turned, const Bf16* paired, std::int64_t pixels, std::int64_t pairs,
                float* sums) const {
    for (std::int64_t block = 0; block < blocks_; ++block, paired += 2 * pairs * kTogether) {
      for (std::int64_t pass = 0; pass < passes_; ++pass, sums += kSide * kSums) {
        // Input p meets the gradient of the pixel that it is the tap of.
        const Bf16* columns[kSide];
        for (std::int64_t row = 0; row < kSide; ++row) {
          const std::int64_t start = lead_of_gradients() - row * inputs_.line.row - shift_of(pass);
          columns[row] = paired + (start % 2 * pairs + start / 2) * kTogether;
        }
        accumulate_three(turned, columns, pixels / kTogether, sums);
      }
    }
  }

  std::int64_t place(std::int64_t filter, std::int64_t tap, std::int64_t channel) const {
    const std::int64_t pass = tap % kSide / taps(), within = tap % kSide % taps();
    // The pixel of the gradients that is a shift of the other one's, or the first.
    const std::int64_t of_gradients = std::max<std::int64_t>(0, of_gradients_ - 1 - within),
                       of_inputs = within - (of_gradients_ - 1) + of_gradients;
    const std::int64_t block = filter / kRows;
    const std::int64_t row = of_inputs * inputs_.line.channels + channel,
                       column = of_gradients * gradients_.line.channels + filter % kRows;
    return ((block * passes_ + pass) * kSide + tap / kSide) * kSums + row * kRows + column;
  }

  Shape shape_;
  const Bf16 *x_, *dy_;
  Layout inputs_, gradients_;
  std::int64_t of_inputs_, of_gradients_, passes_, blocks_;
};

}  // namespace

bool is_narrow(std::int64_t channels) { return channels <= kRows; }

void convolve_narrow(const Shape& shape, const Bf16* x, const Filters& filters, Bf16* y) {
  const Convolution convolution(shape, filters);
  parallel_ranges(shape.images, 1,
                  [&](std::int64_t begin, std::int64_t end) { convolution.run(x, begin, end, y); });
}

void narrow_filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw) {
  sum_in_chunks(NarrowSums(shape, x, dy), shape.images, 1, dw);
}

}  // namespace glidepath::amx
