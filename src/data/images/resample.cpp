// src/data/images/resample.cpp - antialiased bilinear resizing that agrees with Pillow's to the bit.
#include "data/images/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simd/clones.h"

namespace glidepath {
namespace {

constexpr std::uint32_t kHalf = 1U << (ResampleAxis::kPlaces - 1);

// Vectors of the compiler: it makes of them what the machine has. A pixel stays the 32 bits it is, and a
// channel is shifted out of it: compilers are poor at widening bytes.
constexpr int kAcross = 8, kDown = 16;  // rows, or pixels of a row, that are worked on at once
using Across = std::uint32_t __attribute__((vector_size(kAcross * kPixelBytes)));
using Down = std::uint32_t __attribute__((vector_size(kDown * kPixelBytes)));

template <typename Pixels>
struct Sums {
  Pixels red = Pixels{} + kHalf, green = red, blue = red;

  GLIDEPATH_INLINE void add(const Pixels& pixels, std::uint32_t weight) {
    red += (pixels & 255) * weight;
    green += (pixels >> 8 & 255) * weight;
    blue += (pixels >> 16 & 255) * weight;
  }
  // Weights are not negative and sum to 1 but for their rounding, so no sum leaves a byte's range.
  GLIDEPATH_INLINE void to_pixels(Pixels& pixels) const {
    constexpr int kPlaces = ResampleAxis::kPlaces;
    pixels = red >> kPlaces | (green >> kPlaces) << 8 | (blue >> kPlaces) << 16;
  }
};

struct Rows {
  const unsigned char* from;
  std::size_t from_bytes;  // from row to row
  unsigned char* to;
  std::size_t to_bytes;
};

GLIDEPATH_INLINE std::uint32_t load_pixel(const unsigned char* from) {
  std::uint32_t pixel;
  std::memcpy(&pixel, from, sizeof pixel);
  return pixel;
}

/// Eight rows side by side.
GLIDEPATH_CLONES void across_eight(const Rows& rows, const ResampleAxis::Pixel* pixels, std::size_t count,
                                   const std::int32_t* weights) {
  const std::size_t step = rows.from_bytes;
  for (std::size_t x = 0; x < count; ++x) {
    const ResampleAxis::Pixel pixel = pixels[x];
    const std::int32_t* weight = weights + pixel.weights;
    const unsigned char* from = rows.from + static_cast<std::ptrdiff_t>(pixel.first) * kPixelBytes;
    Sums<Across> sums;
    for (int tap = 0; tap < pixel.count; ++tap, from += kPixelBytes) {
      const Across eight = {load_pixel(from),
                            load_pixel(from + step),
                            load_pixel(from + 2 * step),
                            load_pixel(from + 3 * step),
                            load_pixel(from + 4 * step),
                            load_pixel(from + 5 * step),
                            load_pixel(from + 6 * step),
                            load_pixel(from + 7 * step)};
      sums.add(eight, static_cast<std::uint32_t>(weight[tap]));
    }
    Across result;
    sums.to_pixels(result);
    for (std::size_t row = 0; row < kAcross; ++row) {
      const std::uint32_t value = result[row];
      std::memcpy(rows.to + row * rows.to_bytes + x * kPixelBytes, &value, sizeof value);
    }
  }
}

void across_one(const Rows& rows, const ResampleAxis::Pixel* pixels, std::size_t count,
                const std::int32_t* weights) {
  for (std::size_t x = 0; x < count; ++x) {
    const ResampleAxis::Pixel pixel = pixels[x];
    const unsigned char* from = rows.from + static_cast<std::ptrdiff_t>(pixel.first) * kPixelBytes;
    Sums<std::uint32_t> sums{kHalf, kHalf, kHalf};
    for (int tap = 0; tap < pixel.count; ++tap, from += kPixelBytes)
      sums.add(load_pixel(from),
               static_cast<std::uint32_t>(weights[pixel.weights + static_cast<std::size_t>(tap)]));
    std::uint32_t value;
    sums.to_pixels(value);
    std::memcpy(rows.to + x * kPixelBytes, &value, sizeof value);
  }
}

/// One row of the target, from `count` rows of the source, each of `bytes` bytes, which sizeof(Down) divides.
GLIDEPATH_CLONES void down_row(const unsigned char* from, std::size_t from_bytes, const std::int32_t* weights,
                               int count, std::size_t bytes, unsigned char* to) {
  for (std::size_t at = 0; at < bytes; at += sizeof(Down)) {
    Sums<Down> sums;
    for (int tap = 0; tap < count; ++tap) {
      Down pixels;
      std::memcpy(&pixels, from + static_cast<std::size_t>(tap) * from_bytes + at, sizeof pixels);
      sums.add(pixels, static_cast<std::uint32_t>(weights[tap]));
    }
    Down result;
    sums.to_pixels(result);
    std::memcpy(to + at, &result, sizeof result);
  }
}

}  // namespace

void ResampleAxis::plan(double begin, double end, int low, int high, int size, int first, int count) {
  pixels.clear();
  weights.clear();
  const double scale = (end - begin) / size;
  const double reach = std::max(scale, 1.0);  // half the triangle's base
  const int base =
      static_cast<int>(std::floor(begin));  // counted from there, a part is as a picture of its own
  std::vector<double> exact;
  for (int i = first; i < first + count; ++i) {
    const double center = (begin - base) + (i + 0.5) * scale;
    const int from = std::max(low - base, static_cast<int>(std::floor(center - reach + 0.5)));
    const int to = std::min(high - base, static_cast<int>(std::floor(center + reach + 0.5)));
    exact.clear();
    double sum = 0;
    for (int source = from; source < to; ++source) {
      const double distance = std::abs((source - center + 0.5) * (1.0 / reach));
      exact.push_back(distance < 1 ? 1 - distance : 0);
      sum += exact.back();
    }
    pixels.push_back({base + from, to - from, weights.size()});
    for (const double weight : exact)
      weights.push_back(static_cast<std::int32_t>((sum != 0 ? weight / sum : weight) * (1 << kPlaces) + 0.5));
  }
}

void Resampler::resize(const DecodedArea& from, const ResampleAxis& across, const ResampleAxis& down,
                       std::vector<unsigned char>& to) {
  const int first_row = down.source_begin(), height = down.source_end() - first_row;
  const std::size_t row_bytes = across.pixels.size() * kPixelBytes;
  const std::size_t padded = (row_bytes + sizeof(Down) - 1) / sizeof(Down) * sizeof(Down);
  rows_.resize(padded * static_cast<std::size_t>(height));
  Rows rows{from.pixels + static_cast<std::size_t>(first_row - from.area.top) * from.row_bytes -
                static_cast<std::ptrdiff_t>(from.area.left) * kPixelBytes,
            from.row_bytes, rows_.data(), padded};
  int row = 0;
  const auto across_all = [&](auto across_some, int count, int end) {
    for (; row + count <= end; row += count) {
      across_some(rows, across.pixels.data(), across.pixels.size(), across.weights.data());
      rows.from += static_cast<std::size_t>(count) * rows.from_bytes;
      rows.to += static_cast<std::size_t>(count) * rows.to_bytes;
    }
  };
  across_all(across_eight, kAcross, height);
  across_all(across_one, 1, height);
  to.resize(row_bytes * down.pixels.size() + sizeof(Down));  // the last row may be written past its end
  for (std::size_t y = 0; y < down.pixels.size(); ++y) {
    const ResampleAxis::Pixel& pixel = down.pixels[y];
    down_row(rows_.data() + static_cast<std::size_t>(pixel.first - first_row) * padded, padded,
             down.weights.data() + pixel.weights, pixel.count, padded, to.data() + y * row_bytes);
  }
}

}  // namespace glidepath
