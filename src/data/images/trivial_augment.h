// src/data/images/trivial_augment.h - TrivialAugment: one random change of a training image; without torch.
#pragma once
#include <cstdint>
#include <vector>

#include "glidepath/keyed_random.h"

namespace glidepath {

/// 1 or 3 channels of bytes, changed in place: channel c of pixel (y, x) is data[c channel + (y width + x)
/// pixel].
struct ImageBytes {
  std::uint8_t* data = nullptr;
  std::int64_t channels = 3, height = 0, width = 0;
  std::int64_t channel = 1, pixel = 3;  ///< strides

  std::int64_t area() const { return height * width; }
};

enum class ImageOp {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColor,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize
};
constexpr int kImageOps = 14;

/// torchvision's operators for uint8 tensors, nearest pixels, black beyond the edge. `magnitude`: of a shear
/// in pixels a pixel, translations in pixels (whole, towards 0), degrees counter-clockwise, 1 + magnitude
/// times the brightness and its like, bits that stay, or the threshold; the others have none.
void apply(ImageOp op, double magnitude, const ImageBytes& image);

/// One of the operators, each as likely, with one of 31 magnitudes and either sign where it has one.
/// Source: Mueller & Hutter, ICCV 2021 (arXiv 2103.10158); ranges are those of torchvision's
/// TrivialAugmentWide.
void trivial_augment(KeyedRandom random, const ImageBytes& image);

}  // namespace glidepath
