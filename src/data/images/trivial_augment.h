// src/data/images/trivial_augment.h - TrivialAugment and RandAugment: random changes of a training image;
// without torch.
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

constexpr int kRandLevels = 31;
/// The magnitude of an operator at `level` in [0, kRandLevels) of RandAugment, without its sign.
double rand_magnitude(ImageOp op, int level, const ImageBytes& image);
/// So many operators one after the other, each as likely, of one level, with either sign where they have one.
/// Source: Cubuk et al., CVPR workshops 2020 (arXiv 1909.13719); ranges are those of torchvision's
/// RandAugment.
void rand_augment(KeyedRandom random, int operators, int level, const ImageBytes& image);

/// Which of them a training image gets.
struct ImageChange {
  bool trivial = false;
  int rand_operators = 0;  ///< in its place where it is above 0
  int rand_level = 9;

  bool any() const { return trivial || rand_operators > 0; }
  void apply_to(const ImageBytes& image, KeyedRandom random) const;
};

}  // namespace glidepath
