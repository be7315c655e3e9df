// src/data/images/resample.cpp - antialiased bilinear resizing that agrees with Pillow's to the bit.
#include "data/images/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "nn/clones.h"

namespace glidepath {
namespace {

constexpr int kPixelBytes = 4;
constexpr int kHalf = 1 << (ResampleAxis::kPlaces - 1);

// Vectors of the compiler: it makes of them what the machine has.
using Bytes4 = unsigned char __attribute__((vector_size(4)));
using Ints4 = std::int32_t __attribute__((vector_size(16)));
using Bytes16 = unsigned char __attribute__((vector_size(16)));
using Ints16 = std::int32_t __attribute__((vector_size(64)));

template <typename Bytes>
GLIDEPATH_INLINE Bytes load(const unsigned char* from) {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

struct Rows {
  const unsigned char* from;
  std::size_t from_bytes;  // from row to row
  unsigned char* to;
  std::size_t to_bytes;
};

// Weights are not negative and sum to 1 but for their rounding, so no sum leaves a byte's range.
template <int kRows>
GLIDEPATH_INLINE void across_rows(const Rows& rows, const ResampleAxis::Pixel* pixels, std::size_t count,
                                  const std::int32_t* weights) {
  for (std::size_t x = 0; x < count; ++x) {
    const ResampleAxis::Pixel pixel = pixels[x];
    const std::int32_t* weight = weights + pixel.weights;
    Ints4 sums[kRows];
    for (Ints4& sum : sums) sum = Ints4{kHalf, kHalf, kHalf, kHalf};
    const unsigned char* from = rows.from + static_cast<std::ptrdiff_t>(pixel.first) * kPixelBytes;
    for (int tap = 0; tap < pixel.count; ++tap, from += kPixelBytes) {
      for (int row = 0; row < kRows; ++row)
        sums[row] += __builtin_convertvector(
                         load<Bytes4>(from + static_cast<std::size_t>(row) * rows.from_bytes), Ints4) *
                     weight[tap];
    }
    for (int row = 0; row < kRows; ++row) {
      const auto bytes = __builtin_convertvector(sums[row] >> ResampleAxis::kPlaces, Bytes4);
      std::memcpy(rows.to + static_cast<std::size_t>(row) * rows.to_bytes + x * kPixelBytes, &bytes,
                  sizeof bytes);
    }
  }
}

GLIDEPATH_CLONES void across_four(const Rows& rows, const ResampleAxis::Pixel* pixels, std::size_t count,
                                  const std::int32_t* weights) {
  across_rows<4>(rows, pixels, count, weights);
}

GLIDEPATH_CLONES void across_one(const Rows& rows, const ResampleAxis::Pixel* pixels, std::size_t count,
                                 const std::int32_t* weights) {
  across_rows<1>(rows, pixels, count, weights);
}

/// One row of the target, from `count` rows of the source, each of `bytes` bytes, which 16 divides.
GLIDEPATH_CLONES void down_row(const unsigned char* from, std::size_t from_bytes, const std::int32_t* weights,
                               int count, std::size_t bytes, unsigned char* to) {
  for (std::size_t at = 0; at < bytes; at += sizeof(Bytes16)) {
    Ints16 sum = Ints16{} + kHalf;
    for (int tap = 0; tap < count; ++tap)
      sum += __builtin_convertvector(load<Bytes16>(from + static_cast<std::size_t>(tap) * from_bytes + at),
                                     Ints16) *
             weights[tap];
    const auto sixteen = __builtin_convertvector(sum >> ResampleAxis::kPlaces, Bytes16);
    std::memcpy(to + at, &sixteen, sizeof sixteen);
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
  const std::size_t padded = (row_bytes + 15) / 16 * 16;
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
  across_all(across_four, 4, height);
  across_all(across_one, 1, height);
  to.resize(row_bytes * down.pixels.size() + 16);  // the last row may be written past its end
  for (std::size_t y = 0; y < down.pixels.size(); ++y) {
    const ResampleAxis::Pixel& pixel = down.pixels[y];
    down_row(rows_.data() + static_cast<std::size_t>(pixel.first - first_row) * padded, padded,
             down.weights.data() + pixel.weights, pixel.count, padded, to.data() + y * row_bytes);
  }
}

}  // namespace glidepath
