// src/nn/kernels/amx/amx.cpp - 3x3 convolutions, divided into blocks of images that fit the caches.
#include "nn/kernels/amx/amx.h"

#include <algorithm>
#include <utility>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "nn/kernels/amx/layout.h"
#include "nn/kernels/amx/narrow.h"
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/filter_sums.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/scratch.h"

namespace glidepath::amx {
namespace {

// Bytes of images that stay in a core's second cache while all filters pass by, and, fewest and most, of what
// the sums of filters' gradients are made of.
constexpr std::int64_t kImageBytes = 384 * 1024, kFewestToSum = 192 * 1024, kMostToSum = 8 * 1024 * 1024;
Line line_of(const Shape& shape, std::int64_t channels) {
  return {rounded_up(channels, kTogether), shape.width + 1};
}

/// The sums of filters' gradients, [filters / 32][channels / 32][tap][2][2][16][16], image after image in
/// order.
class FilterSums {
 public:
  FilterSums(const Shape& shape, const Bf16* x, const Bf16* dy)
      : shape_(shape),
        x_(x),
        dy_(dy),
        inputs_(shape, shape.channels, line_of(shape, shape.channels)),
        gradients_(shape, shape.filters, line_of(shape, shape.filters)),
        channel_blocks_(inputs_.line.channels / kTogether),
        filter_blocks_(gradients_.line.channels / kTogether) {
    const std::int64_t of_pixel = 2 * inputs_.line.channels + 3 * gradients_.line.channels;
    // Large sums have to be worth their way to the core and back.
    const std::int64_t bytes =
        std::clamp(2 * floats() * std::int64_t{sizeof(float)}, kFewestToSum, kMostToSum);
    images_ = std::max<std::int64_t>(1, bytes / (inputs_.image * of_pixel * std::int64_t{sizeof(Bf16)}));
  }

  std::int64_t floats() const { return channel_blocks_ * filter_blocks_ * kTaps * kOfBlock; }
  /// That are worth sums of their own.
  std::int64_t fewest_images() const { return images_; }

  /// Of images [begin, end), each step of whose work is done by divide(count, grain, body).
  template <typename Divide>
  void add_up(std::int64_t begin, std::int64_t end, float* sums, const Divide& divide) const {
    static thread_local Scratch<Bf16> of_inputs, of_gradients, of_rows, of_columns;
    const std::int64_t most = std::min(images_, end - begin), pixels = inputs_.pixels(most);
    const std::int64_t pairs = pixels / 2 + gradients_.lead;
    Bf16* x = of_inputs.get(inputs_.numbers(most));
    Bf16* dy = of_gradients.get(gradients_.numbers(most));
    Bf16* rows = of_rows.get(pixels * inputs_.line.channels);
    Bf16* columns = of_columns.get(2 * 2 * pairs * gradients_.line.channels);
    std::fill_n(sums, floats(), 0.0F);
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      if (first == begin || count < most) {
        std::fill_n(x, inputs_.numbers(most), Bf16{0});
        std::fill_n(dy, gradients_.numbers(most), Bf16{0});
      }
      divide(count, 1, [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) {
          inputs_.fill(x_, first + i, i, x);
          gradients_.fill(dy_, first + i, i, dy);
        }
      });
      turn(x, dy, pixels, pairs, rows, columns, divide);
      divide(filter_blocks_ * channel_blocks_ * kTaps, 1, [&](std::int64_t from, std::int64_t to) {
        const Tiles tiles;
        for (std::int64_t i = from; i < to; ++i)
          multiply(i, pixels, pairs, rows, columns, sums + i * kOfBlock);
      });
    }
  }

  void write(const float* sums, float* dw) const {
    parallel_ranges(filter_blocks_ * channel_blocks_ * kTaps, 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::int64_t tap = i % kTaps, c = i / kTaps % channel_blocks_, k = i / kTaps / channel_blocks_;
        for (std::int64_t part = 0; part < 4; ++part) {
          const std::int64_t channel = (2 * c + part / 2) * kRows, filter = (2 * k + part % 2) * kRows;
          write_sums(sums + i * kOfBlock + part * kRows * kRows, tap, channel, shape_.channels, filter,
                     shape_.filters, dw);
        }
      }
    });
  }

 private:
  static constexpr std::int64_t kOfBlock = kTogether * kTogether;

  /// Inputs as rows of tiles [channels / 16][pixels / 32][16][32]; gradients in pairs of pixels
  /// [even, odd][filters / 16][pairs][16][2].
  template <typename Divide>
  void turn(const Bf16* x, const Bf16* dy, std::int64_t pixels, std::int64_t pairs, Bf16* rows, Bf16* columns,
            const Divide& divide) const {
    constexpr std::int64_t kPairs = 32;  // of a piece of work
    const std::int64_t channels = inputs_.line.channels, filters = gradients_.line.channels;
    const std::int64_t blocks = pixels / kTogether, pieces = (pairs + kPairs - 1) / kPairs;
    divide(blocks + pieces, 4, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < std::min(to, blocks); ++i) {
        for (std::int64_t c = 0; c < channels; c += kRows) {
          transpose(x + (inputs_.lead + i * kTogether) * channels + c, channels,
                    rows + (c / kRows * blocks + i) * kOfTile);
        }
      }
      for (std::int64_t i = std::max(from, blocks); i < to; ++i) {
        const std::int64_t first = (i - blocks) * kPairs, count = std::min(kPairs, pairs - first);
        for (std::int64_t k = 0; k < filters; k += kRows) {
          Bf16* even = columns + (k / kRows * pairs + first) * kTogether;
          interleave(dy + 2 * first * filters + k, filters, count, even, even + pairs * 2 * filters);
        }
      }
    });
  }

  void multiply(std::int64_t i, std::int64_t pixels, std::int64_t pairs, const Bf16* rows,
                const Bf16* columns, float* sums) const {
    const std::int64_t tap = i % kTaps, c = i / kTaps % channel_blocks_, k = i / kTaps / channel_blocks_;
    // Input p meets the gradient of the pixel that it is the tap of.
    const std::int64_t start = 2 * gradients_.lead - (tap / 3 * gradients_.line.row + tap % 3);
    const Bf16* of_parity =
        columns + start % 2 * pairs * 2 * gradients_.line.channels + start / 2 * kTogether;
    const std::int64_t steps = pixels / kTogether;
    const Bf16* const two_rows[2] = {rows + 2 * c * steps * kOfTile, rows + (2 * c + 1) * steps * kOfTile};
    const Bf16* const two_columns[2] = {of_parity + 2 * k * pairs * kTogether,
                                        of_parity + (2 * k + 1) * pairs * kTogether};
    accumulate(two_rows, two_columns, steps, sums);
  }

  Shape shape_;
  const Bf16 *x_, *dy_;
  Layout inputs_, gradients_;
  std::int64_t channel_blocks_, filter_blocks_, images_;
};

/// pack(block, u): of filters, for convolve().
template <typename Pack>
void apply(const Shape& shape, const Bf16* x, Bf16* y, const Pack& pack) {
  const Layout layout(shape, shape.channels, line_of(shape, shape.channels));
  const std::int64_t channels = layout.line.channels,
                     blocks = rounded_up(shape.filters, kTogether) / kTogether;
  static thread_local Scratch<Bf16> filters;
  const std::int64_t of_block = kTaps * channels * kTogether;
  Bf16* u = filters.get(blocks * of_block);
  parallel_ranges(blocks, 1, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t block = first; block < end; ++block) pack(block, u + block * of_block);
  });
  const std::int64_t fit =
      std::max<std::int64_t>(1, kImageBytes / (layout.image * channels * std::int64_t{sizeof(Bf16)}));
  const std::int64_t of_image = shape.height * shape.width * shape.filters;
  parallel_ranges(shape.images, 1, [&](std::int64_t begin, std::int64_t end) {
    static thread_local Scratch<Bf16> images;
    static thread_local Scratch<std::int32_t> outputs;
    // In parts of one size, or nearly.
    const std::int64_t parts = (end - begin + fit - 1) / fit, most = (end - begin + parts - 1) / parts;
    Bf16* line = images.get(layout.numbers(most));
    std::int32_t* where = outputs.get(layout.pixels(most));
    std::fill_n(line, layout.numbers(most), Bf16{0});
    std::int64_t known = 0;
    const Tiles tiles;
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      if (count != known) layout.places(count, where);
      known = count;
      for (std::int64_t i = 0; i < count; ++i) layout.fill(x, first + i, i, line);
      for (std::int64_t block = 0; block < blocks; ++block) {
        convolve(layout.line, line, layout.pixels(count), u + block * of_block, where, block, shape.filters,
                 y + first * of_image);
      }
    }
  });
}

}  // namespace

bool processor_has_it() {
#if defined(__x86_64__) && defined(__GNUC__)
  constexpr unsigned kBf16Bit = 1U << 22;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kBf16Bit) != 0;
#else
  return false;
#endif
}

bool is_there() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool found = [] {
    constexpr long kAskForState = 0x1023, kTileData = 18;  // arch_prctl(2): ARCH_REQ_XCOMP_PERM
    return are_built() && processor_has_it() && __builtin_cpu_supports("avx512bf16") != 0 &&
           __builtin_cpu_supports("avx512bw") != 0 && ::syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
  }();
  return found;
#else
  return false;
#endif
}

bool takes(std::int64_t channels, std::int64_t filters) {
  constexpr std::int64_t kFewest = 24;  // 16 have to wait for memory as long as the library's have
  const auto is_few = [](std::int64_t count) {
    return count > 0 && (count <= kMostColours || count == winograd::kGrain);
  };
  return winograd::fits_grain(filters) &&
         (is_few(channels) || (winograd::fits_grain(channels) && std::min(channels, filters) >= kFewest));
}

void forward(const Shape& shape, const Bf16* x, const float* w, Bf16* y) {
  if (is_narrow(shape.channels)) return convolve_narrow(shape, x, {w, shape.channels, false}, y);
  apply(shape, x, y,
        [&](std::int64_t block, Bf16* u) { pack_filters(w, shape.channels, shape.filters, block, u); });
}

void input_gradients(const Shape& shape, const Bf16* dy, const float* w, Bf16* dx) {
  Shape turned = shape;
  std::swap(turned.channels, turned.filters);
  if (is_narrow(turned.channels)) return convolve_narrow(turned, dy, {w, shape.channels, true}, dx);
  apply(turned, dy, dx,
        [&](std::int64_t block, Bf16* u) { pack_turned(w, shape.channels, shape.filters, block, u); });
}

void filter_gradients(const Shape& shape, const Bf16* x, const Bf16* dy, float* dw) {
  if (is_narrow(shape.channels)) return narrow_filter_gradients(shape, x, dy, dw);
  const FilterSums sums(shape, x, dy);
  sum_in_chunks(sums, shape.images, sums.fewest_images(), dw);
}

}  // namespace glidepath::amx
