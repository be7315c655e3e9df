// tests/data/images/golden_pictures.h - pictures that other programs made, and how far ours are from them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <png.h>

#include "data/images/image_store.h"

namespace glidepath {

inline std::string golden_image(const std::string& name) {
  return std::string(GLIDEPATH_TEST_DATA) + "/images/" + name;
}

inline std::vector<unsigned char> bytes_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream.good()) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline StoredImage stored(const std::vector<unsigned char>& bytes) {
  return {StoredImage::Kind::kFile, bytes.data(), bytes.size()};
}

struct Picture {
  int width = 0, height = 0;
  std::vector<unsigned char> rgb;
};

/// By libpng's own simple reader, which the library does not use.
inline Picture read_png(const std::string& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  Picture picture;
  EXPECT_NE(png_image_begin_read_from_file(&image, file.c_str()), 0) << file << ": " << image.message;
  image.format = PNG_FORMAT_RGB;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  picture.rgb.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, picture.rgb.data(), 0, nullptr), 0) << image.message;
  return picture;
}

struct Difference {
  int most = 0;
  double mean = 0;
};

/// Of pixels of 4 bytes, row after row of `row_bytes`, from a picture.
inline Difference difference(const unsigned char* pixels, std::size_t row_bytes, const Picture& expected) {
  Difference found;
  for (int y = 0; y < expected.height; ++y) {
    for (int x = 0; x < expected.width; ++x) {
      for (int channel = 0; channel < 3; ++channel) {
        const int ours =
            pixels[static_cast<std::size_t>(y) * row_bytes + static_cast<std::size_t>(4 * x + channel)];
        const int theirs = expected.rgb[static_cast<std::size_t>(3 * (y * expected.width + x) + channel)];
        found.most = std::max(found.most, std::abs(ours - theirs));
        found.mean += std::abs(ours - theirs);
      }
    }
  }
  found.mean /= static_cast<double>(expected.rgb.size());
  return found;
}

}  // namespace glidepath
