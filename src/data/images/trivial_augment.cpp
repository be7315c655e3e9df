// src/data/images/trivial_augment.cpp - TrivialAugment and RandAugment, as torchvision computes them on uint8
// tensors.
#include "data/images/trivial_augment.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace glidepath {
namespace {

constexpr int kBins = 31;
constexpr int kLevels = 256;

/// Where the pixel at (x, y), from the middle, is taken from.
struct Affine {
  double xx = 1, xy = 0, x = 0, yx = 0, yy = 1, y = 0;
};

std::uint8_t* channel_of(const ImageBytes& image, std::int64_t channel) {
  return image.data + channel * image.channel;
}

template <typename Function>
void for_each_byte(const ImageBytes& image, Function change) {
  for (std::int64_t c = 0; c < image.channels; ++c) {
    std::uint8_t* at = channel_of(image, c);
    for (std::int64_t i = 0; i < image.area(); ++i, at += image.pixel) *at = change(*at);
  }
}

/// [channels][height][width]
std::vector<std::uint8_t> copied(const ImageBytes& image) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(static_cast<std::size_t>(image.channels * image.area()));
  for (std::int64_t c = 0; c < image.channels; ++c) {
    const std::uint8_t* at = channel_of(image, c);
    for (std::int64_t i = 0; i < image.area(); ++i, at += image.pixel) bytes.push_back(*at);
  }
  return bytes;
}

void move_pixels(const Affine& from, const ImageBytes& image) {
  const std::vector<std::uint8_t> before = copied(image);
  const double middle_x = 0.5 * static_cast<double>(image.width - 1);
  const double middle_y = 0.5 * static_cast<double>(image.height - 1);
  for (std::int64_t row = 0; row < image.height; ++row) {
    for (std::int64_t column = 0; column < image.width; ++column) {
      const double x = static_cast<double>(column) - middle_x, y = static_cast<double>(row) - middle_y;
      const auto source_x = std::llrint(from.xx * x + from.xy * y + from.x + middle_x);
      const auto source_y = std::llrint(from.yx * x + from.yy * y + from.y + middle_y);
      const bool is_inside =
          source_x >= 0 && source_x < image.width && source_y >= 0 && source_y < image.height;
      for (std::int64_t c = 0; c < image.channels; ++c) {
        channel_of(image, c)[(row * image.width + column) * image.pixel] =
            is_inside ? before[static_cast<std::size_t>(c * image.area() + source_y * image.width + source_x)]
                      : 0;
      }
    }
  }
}

Affine rotation(double degrees) {
  const double angle = -degrees * M_PI / 180, cosine = std::cos(angle), sine = std::sin(angle);
  return {cosine, sine, 0, -sine, cosine, 0};
}

// In float, as torch computes it.
std::uint8_t blended(float a, float b, double ratio) {
  const float first = static_cast<float>(ratio) * a, second = static_cast<float>(1 - ratio) * b;
  return static_cast<std::uint8_t>(std::clamp(first + second, 0.0F, 255.0F));
}

std::uint8_t grey(const ImageBytes& image, std::int64_t pixel) {
  const std::uint8_t* at = image.data + pixel * image.pixel;
  if (image.channels == 1) return *at;
  const float red = 0.2989F * at[0], green = 0.587F * at[image.channel],
              blue = 0.114F * at[2 * image.channel];
  return static_cast<std::uint8_t>(red + green + blue);
}

void change_colour(double ratio, const ImageBytes& image) {
  if (image.channels == 1) return;
  for (std::int64_t i = 0; i < image.area(); ++i) {
    const float without = grey(image, i);
    for (std::int64_t c = 0; c < image.channels; ++c) {
      std::uint8_t& byte = channel_of(image, c)[i * image.pixel];
      byte = blended(byte, without, ratio);
    }
  }
}

void change_contrast(double ratio, const ImageBytes& image) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < image.area(); ++i) sum += grey(image, i);
  const auto mean = static_cast<float>(static_cast<double>(sum) / static_cast<double>(image.area()));
  for_each_byte(image, [&](std::uint8_t byte) { return blended(byte, mean, ratio); });
}

/// The pixel in the middle of 3 x 3, which weighs five times as much as the others.
float smoothed(const std::uint8_t* at, std::int64_t width) {
  int sum = 4 * *at;
  for (const std::int64_t row : {-width, std::int64_t{0}, width}) sum += at[row - 1] + at[row] + at[row + 1];
  return static_cast<float>(std::lrint(static_cast<double>(sum) / 13));
}

/// Against the smoothed picture, whose edge is the picture's.
void change_sharpness(double ratio, const ImageBytes& image) {
  if (image.width <= 2 || image.height <= 2) return;
  const std::vector<std::uint8_t> before = copied(image);
  for (std::int64_t c = 0; c < image.channels; ++c) {
    const std::uint8_t* at = before.data() + c * image.area();
    std::uint8_t* to = channel_of(image, c);
    for (std::int64_t y = 0; y < image.height; ++y) {
      for (std::int64_t x = 0; x < image.width; ++x, ++at, to += image.pixel) {
        const bool is_edge = y == 0 || x == 0 || y + 1 == image.height || x + 1 == image.width;
        *to = blended(*at, is_edge ? *at : smoothed(at, image.width), ratio);
      }
    }
  }
}

void stretch_contrast(const ImageBytes& image) {
  for (std::int64_t c = 0; c < image.channels; ++c) {
    ImageBytes plane = image;
    plane.data = channel_of(image, c);
    plane.channels = 1;
    int lowest = kLevels - 1, highest = 0;
    for_each_byte(plane, [&](std::uint8_t byte) {
      lowest = std::min<int>(lowest, byte);
      highest = std::max<int>(highest, byte);
      return byte;
    });
    if (lowest == highest) continue;
    const float scale = 1.0F / static_cast<float>(highest - lowest) * 255.0F;  // as torch divides by a tensor
    for_each_byte(plane, [&](std::uint8_t byte) {
      return static_cast<std::uint8_t>(std::clamp(static_cast<float>(byte - lowest) * scale, 0.0F, 255.0F));
    });
  }
}

void equalise(const ImageBytes& image) {
  for (std::int64_t c = 0; c < image.channels; ++c) {
    ImageBytes plane = image;
    plane.data = channel_of(image, c);
    plane.channels = 1;
    std::array<std::int64_t, kLevels> counts{};
    int highest = 0;
    for_each_byte(plane, [&](std::uint8_t byte) {
      ++counts[byte];
      highest = std::max<int>(highest, byte);
      return byte;
    });
    const std::int64_t step = (image.area() - counts[static_cast<std::size_t>(highest)]) / (kLevels - 1);
    if (step == 0) continue;
    std::array<std::uint8_t, kLevels> table{};
    std::int64_t below = 0;
    for (std::size_t level = 0; level < kLevels; ++level) {
      // The first level stays black; after that, what lies below counts.
      table[level] =
          level == 0 ? 0 : static_cast<std::uint8_t>(std::min<std::int64_t>((below + step / 2) / step, 255));
      below += counts[level];
    }
    for_each_byte(plane, [&](std::uint8_t byte) { return table[byte]; });
  }
}

double between(double first, double last, std::uint64_t bin) {
  return first + (last - first) * static_cast<double>(bin) / (kBins - 1);
}

}  // namespace

void apply(ImageOp op, double magnitude, const ImageBytes& image) {
  const double ratio = 1 + magnitude;
  switch (op) {
    case ImageOp::kIdentity:
      return;
    // About the upper left corner, half a pixel from the first one's middle.
    case ImageOp::kShearX:
      return move_pixels({1, magnitude, 0.5 * magnitude * static_cast<double>(image.height), 0, 1, 0}, image);
    case ImageOp::kShearY:
      return move_pixels({1, 0, 0, magnitude, 1, 0.5 * magnitude * static_cast<double>(image.width)}, image);
    case ImageOp::kTranslateX:
      return move_pixels({1, 0, -std::trunc(magnitude), 0, 1, 0}, image);
    case ImageOp::kTranslateY:
      return move_pixels({1, 0, 0, 0, 1, -std::trunc(magnitude)}, image);
    case ImageOp::kRotate:
      return move_pixels(rotation(magnitude), image);
    case ImageOp::kBrightness:
      return for_each_byte(image, [&](std::uint8_t byte) { return blended(byte, 0, ratio); });
    case ImageOp::kColor:
      return change_colour(ratio, image);
    case ImageOp::kContrast:
      return change_contrast(ratio, image);
    case ImageOp::kSharpness:
      return change_sharpness(ratio, image);
    case ImageOp::kPosterize: {
      const int mask = ~((1 << (8 - static_cast<int>(magnitude))) - 1);
      return for_each_byte(image, [&](std::uint8_t byte) { return static_cast<std::uint8_t>(byte & mask); });
    }
    case ImageOp::kSolarize:
      return for_each_byte(image, [&](std::uint8_t byte) {
        return byte >= magnitude ? static_cast<std::uint8_t>(255 - byte) : byte;
      });
    case ImageOp::kAutoContrast:
      return stretch_contrast(image);
    case ImageOp::kEqualize:
      return equalise(image);
  }
}

void trivial_augment(KeyedRandom random, const ImageBytes& image) {
  const auto op = static_cast<ImageOp>(random.below(kImageOps));
  const std::uint64_t bin = random.below(kBins);
  const double sign = random.below(2) == 1 ? -1 : 1;
  const double magnitude = [&] {
    switch (op) {
      case ImageOp::kTranslateX:
      case ImageOp::kTranslateY:
        return sign * between(0, 32, bin);
      case ImageOp::kRotate:
        return sign * between(0, 135, bin);
      case ImageOp::kPosterize:
        return 8 - std::nearbyint(static_cast<double>(bin) / ((kBins - 1) / 6));
      case ImageOp::kSolarize:
        return between(255, 0, bin);
      default:
        return sign * between(0, 0.99, bin);
    }
  }();
  apply(op, magnitude, image);
}

namespace {

/// torch.linspace(first, last, kRandLevels)[level], in its float.
double linspace(double first, double last, int level) {
  constexpr int kSteps = kRandLevels - 1;
  const auto begin = static_cast<float>(first), end = static_cast<float>(last);
  const double step = (end - begin) / kSteps;  // torch rounds the sum alone: it fuses the two
  return static_cast<float>(level < kRandLevels / 2 ? begin + step * level : end - step * (kSteps - level));
}

}  // namespace

double rand_magnitude(ImageOp op, int level, const ImageBytes& image) {
  constexpr double kFarthest = 150.0 / 331.0;  // of the side
  switch (op) {
    case ImageOp::kShearX:
    case ImageOp::kShearY:
      return linspace(0, 0.3, level);
    case ImageOp::kTranslateX:
      return linspace(0, kFarthest * static_cast<double>(image.width), level);
    case ImageOp::kTranslateY:
      return linspace(0, kFarthest * static_cast<double>(image.height), level);
    case ImageOp::kRotate:
      return linspace(0, 30, level);
    case ImageOp::kBrightness:
    case ImageOp::kColor:
    case ImageOp::kContrast:
    case ImageOp::kSharpness:
      return linspace(0, 0.9, level);
    case ImageOp::kPosterize:
      return 8 - std::nearbyint(static_cast<double>(level) / ((kRandLevels - 1) / 4.0));
    case ImageOp::kSolarize:
      return linspace(255, 0, level);
    case ImageOp::kIdentity:
    case ImageOp::kAutoContrast:
    case ImageOp::kEqualize:
      break;
  }
  return 0;
}

void rand_augment(KeyedRandom random, int operators, int level, const ImageBytes& image) {
  for (int i = 0; i < operators; ++i) {
    const auto op = static_cast<ImageOp>(random.below(kImageOps));
    const bool has_sign = op != ImageOp::kPosterize && op != ImageOp::kSolarize;
    const double sign = random.below(2) == 1 && has_sign ? -1 : 1;
    apply(op, sign * rand_magnitude(op, level, image), image);
  }
}

void ImageChange::apply_to(const ImageBytes& image, KeyedRandom random) const {
  if (rand_operators > 0) {
    rand_augment(random, rand_operators, rand_level, image);
  } else if (trivial) {
    trivial_augment(random, image);
  }
}

}  // namespace glidepath
