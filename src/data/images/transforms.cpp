// src/data/images/transforms.cpp - which part of a picture is taken, and what it becomes.
#include "data/images/transforms.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace glidepath {
namespace {

constexpr double kSmallestArea = 0.08, kNarrowest = 3.0 / 4, kWidest = 4.0 / 3;

// To the nearest, halves to even, as Python's round() does.
int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

int below(KeyedRandom& random, int bound) {
  return static_cast<int>(random.below(static_cast<std::uint64_t>(bound)));
}

// libjpeg-turbo has fast code for whole blocks, halves, quarters and eighths; sizes between them take longer
// than the next of these.
int eighths_for(const Rectangle& crop, int size) {
  for (const int eighths : {1, 2, 4}) {
    if (std::min(crop.width, crop.height) * eighths >= size * 8) return eighths;
  }
  return 8;
}

}  // namespace

Rectangle random_resized_crop(const ImageSize& picture, KeyedRandom& random) {
  const double area = static_cast<double>(picture.width) * picture.height;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * (kSmallestArea + (1 - kSmallestArea) * random.unit());
    const double ratio =
        std::exp(std::log(kNarrowest) + (std::log(kWidest) - std::log(kNarrowest)) * random.unit());
    const int width = rounded(std::sqrt(target * ratio)), height = rounded(std::sqrt(target / ratio));
    if (width < 1 || height < 1 || width > picture.width || height > picture.height) continue;
    const int top = below(random, picture.height - height + 1);
    return {below(random, picture.width - width + 1), top, width, height};
  }
  const double shape = static_cast<double>(picture.width) / picture.height;
  Rectangle crop{0, 0, picture.width, picture.height};
  if (shape < kNarrowest) crop.height = std::min(picture.height, rounded(picture.width / kNarrowest));
  if (shape > kWidest) crop.width = std::min(picture.width, rounded(picture.height * kWidest));
  crop.left = (picture.width - crop.width) / 2;
  crop.top = (picture.height - crop.height) / 2;
  return crop;
}

const unsigned char* ImageTransformer::resized_crop(const Rectangle& crop, int size, bool exact) {
  const DecodedArea pixels = decoder_.decode(crop, exact ? 8 : eighths_for(crop, size));
  const double scale = pixels.eighths / 8.0;
  const auto plan = [&](ResampleAxis& axis, int begin, int length, int from, int extent) {
    const double low = begin * scale, high = (begin + length) * scale;
    axis.plan(low, high, std::max(from, static_cast<int>(std::floor(low))),
              std::min(from + extent, static_cast<int>(std::ceil(high))), size, 0, size);
  };
  plan(across_, crop.left, crop.width, pixels.area.left, pixels.area.width);
  plan(down_, crop.top, crop.height, pixels.area.top, pixels.area.height);
  resampler_.resize(pixels, across_, down_, result_);
  return result_.data();
}

const unsigned char* ImageTransformer::centre_crop(int resize, int size) {
  const int shorter = std::min(picture_.width, picture_.height);
  const auto resized = [&](int side) {
    const std::int64_t whole = side == shorter ? resize : static_cast<std::int64_t>(resize) * side / shorter;
    if (whole > std::numeric_limits<int>::max())
      throw CorruptImage(
          fmt::format("{} x {} pixels are too narrow to be resized", picture_.width, picture_.height));
    return static_cast<int>(whole);
  };
  const auto plan = [&](ResampleAxis& axis, int side) {
    const int whole = resized(side);
    axis.plan(0, side, 0, side, whole, rounded((whole - size) / 2.0), size);
  };
  plan(across_, picture_.width);
  plan(down_, picture_.height);
  const Rectangle wanted{across_.source_begin(), down_.source_begin(),
                         across_.source_end() - across_.source_begin(),
                         down_.source_end() - down_.source_begin()};
  resampler_.resize(decoder_.decode(wanted), across_, down_, result_);
  return result_.data();
}

}  // namespace glidepath
