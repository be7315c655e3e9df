// src/data/own/labelled_picture.cpp - an image and its mask, cut and scaled together.
#include "data/own/labelled_picture.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "data/formats/decode.h"
#include "data/formats/label_png.h"
#include "data/images/resample.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

void read_bytes_of(const fs::path& file, std::vector<unsigned char>& bytes) {
  try {
    read_file(file.string(), bytes, kLargestImageFile);
  } catch (const ReadFailed& failure) {
    if (is_trouble_of_the_disk(failure.reason())) throw;
    throw InputError(failure.what());
  }
}

std::size_t area(const ImageSize& size) {
  return static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
}

LabelledPicture decoded_image(const std::vector<unsigned char>& bytes) {
  ImageDecoder decoder;
  StoredImage image;
  image.data = bytes.data();
  image.bytes = bytes.size();
  LabelledPicture picture;
  picture.size = decoder.open(image);
  const DecodedArea found = decoder.decode({0, 0, picture.size.width, picture.size.height});
  const std::size_t row_bytes = static_cast<std::size_t>(picture.size.width) * kPixelBytes;
  picture.pixels.resize(row_bytes * static_cast<std::size_t>(picture.size.height));
  for (int row = 0; row < picture.size.height; ++row)
    std::memcpy(picture.pixels.data() + static_cast<std::size_t>(row) * row_bytes,
                found.pixels + static_cast<std::size_t>(row) * found.row_bytes, row_bytes);
  return picture;
}

/// The source pixel that lies under the middle of each, as Pillow's NEAREST takes it.
std::vector<int> nearest(int from, int to) {
  std::vector<int> places(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i)
    places[static_cast<std::size_t>(i)] = std::min(from - 1, static_cast<int>(std::floor((i + 0.5) * scale)));
  return places;
}

}  // namespace

LabelledPicture read_labelled(const fs::path& image, const fs::path& mask) {
  std::vector<unsigned char> bytes;
  const fs::path* at = &image;
  try {
    read_bytes_of(image, bytes);
    LabelledPicture picture = decoded_image(bytes);
    at = &mask;
    read_bytes_of(mask, bytes);
    const ImageSize size = decode_label_png(bytes.data(), bytes.size(), picture.labels);
    if (size.width != picture.size.width || size.height != picture.size.height) {
      throw InputError(fmt::format("{}: {} x {} pixels, and {} has {} x {}; a mask has its image's size",
                                   mask.string(), size.width, size.height, image.string(), picture.size.width,
                                   picture.size.height));
    }
    return picture;
  } catch (const CorruptImage& problem) {
    throw InputError(fmt::format("{}: {}", at->string(), problem.what()));
  }
}

LabelledPicture cropped(const LabelledPicture& picture, const JointCrop& crop, ImageSize size,
                        unsigned char beyond) {
  const int width = std::min(size.width, crop.scaled.width - crop.left);
  const int height = std::min(size.height, crop.scaled.height - crop.top);
  ResampleAxis across, down;
  across.plan(0, picture.size.width, 0, picture.size.width, crop.scaled.width, crop.left, width);
  down.plan(0, picture.size.height, 0, picture.size.height, crop.scaled.height, crop.top, height);
  const DecodedArea whole{picture.pixels.data(),
                          static_cast<std::size_t>(picture.size.width) * kPixelBytes,
                          {0, 0, picture.size.width, picture.size.height},
                          8};
  std::vector<unsigned char> pixels;
  Resampler resampler;
  resampler.resize(whole, across, down, pixels);
  const std::vector<int> columns = nearest(picture.size.width, crop.scaled.width),
                         rows = nearest(picture.size.height, crop.scaled.height);
  LabelledPicture result;
  result.size = size;
  result.pixels.assign(area(size) * kPixelBytes, 0);
  result.labels.assign(area(size), beyond);
  for (int y = 0; y < height; ++y) {
    const auto* labels =
        picture.labels.data() + static_cast<std::size_t>(rows[static_cast<std::size_t>(crop.top + y)]) *
                                    static_cast<std::size_t>(picture.size.width);
    for (int x = 0; x < width; ++x) {
      const int to_x = crop.mirrored ? size.width - 1 - x : x;
      const std::size_t to =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(to_x);
      const std::size_t from =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
      std::memcpy(result.pixels.data() + to * kPixelBytes, pixels.data() + from * kPixelBytes, kPixelBytes);
      result.labels[to] = labels[columns[static_cast<std::size_t>(crop.left + x)]];
    }
  }
  return result;
}

}  // namespace glidepath
