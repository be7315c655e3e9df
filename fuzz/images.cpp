// fuzz/images.cpp - image files of every format: each is refused, or every part of it can be cropped and
// resized. The first four bytes say which part, at which scale, and whether EXIF data is heeded.
#include <cstdint>

#include "data/images/transforms.h"
#include "harness.h"

using namespace glidepath;

namespace {

constexpr std::int64_t kFuzzedPixels = 1 << 20;  // what a fuzzer's memory holds

int within(std::uint8_t share, int low, int high) { return low + (high - low) * share / 255; }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  ImageDecoder decoder((data[0] & 1) != 0);
  ImageTransformer transformer((data[0] & 1) != 0);
  const StoredImage image{StoredImage::Kind::kFile, data + 4, size - 4};
  try {
    const ImageSize picture = decoder.open(image);
    fuzz::require(picture.width > 0 && picture.height > 0, "a picture has pixels");
    if (static_cast<std::int64_t>(picture.width) * picture.height > kFuzzedPixels) return 0;
    Rectangle part;
    part.left = within(data[1], 0, picture.width - 1);
    part.top = within(data[2], 0, picture.height - 1);
    part.width = within(data[3], 1, picture.width - part.left);
    part.height = within(data[3], 1, picture.height - part.top);
    const int eighths = 1 << (data[0] >> 6);
    const DecodedArea area = decoder.decode(part, eighths);
    fuzz::require(area.area.left <= part.left * area.eighths / 8 &&
                      area.area.top <= part.top * area.eighths / 8 &&
                      (area.area.left + area.area.width) * 8 >= (part.left + part.width) * area.eighths &&
                      (area.area.top + area.area.height) * 8 >= (part.top + part.height) * area.eighths,
                  "the part asked for is there");
    transformer.open(image);
    transformer.resized_crop(part, 5);
    transformer.open(image);
    transformer.centre_crop(8, 7);
  } catch (const CorruptImage& error) {
    fuzz::require(error.what()[0] != '\0', "an error says what is wrong");
  }
  return 0;
}
