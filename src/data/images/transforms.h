// src/data/images/transforms.h - which part of a picture is taken, and what it becomes.
#pragma once
#include <vector>

#include "data/formats/decode.h"
#include "data/images/resample.h"
#include "glidepath/keyed_random.h"

namespace glidepath {

/// The part that torchvision's RandomResizedCrop(scale=(0.08, 1), ratio=(3/4, 4/3)) would take: its area is
/// that share of the picture's, its shape's logarithm uniform; after ten tries that do not fit, the largest
/// middle part of a shape in range.
Rectangle random_resized_crop(const ImageSize& picture, KeyedRandom& random);

/// Square pictures of bytes from pictures as they are stored. One for each thread; not for two at once.
class ImageTransformer {
 public:
  explicit ImageTransformer(bool exif_orientation = false) : decoder_(exif_orientation) {}

  /// Reads the header. Throws CorruptImage.
  ImageSize open(const StoredImage& image) { return picture_ = decoder_.open(image); }

  /// The part `crop` of the open picture, resized to size x size. A JPEG that is much larger is decoded at
  /// the smallest of the sizes 1/8 to 8/8 that serves it, or at its full size with `exact`, and then equal to
  /// torchvision's resized_crop to the bit. Returns rows of 4 bytes a pixel, good until the next call.
  const unsigned char* resized_crop(const Rectangle& crop, int size, bool exact = false);

  /// The middle size x size of the open picture after its shorter side was resized to `resize` >= size: equal
  /// to torchvision's Resize(resize) and CenterCrop(size) to the bit.
  const unsigned char* centre_crop(int resize, int size);

 private:
  ImageDecoder decoder_;
  Resampler resampler_;
  ResampleAxis across_, down_;
  ImageSize picture_;
  std::vector<unsigned char> result_;
};

}  // namespace glidepath
