// src/data/images/exif.cpp - the one entry of EXIF data that says which way up a photograph is.
#include <cstdint>
#include <cstring>

#include "data/images/decode.h"

namespace glidepath {
namespace {

/// Numbers of a TIFF block, in its byte order; 0 where it has ended.
class Tiff {
 public:
  Tiff(const unsigned char* data, std::size_t bytes)
      : data_(data), bytes_(bytes), little_(bytes > 0 && data[0] == 'I') {}
  std::uint32_t number(std::size_t at, int count) const {
    if (at > bytes_ || bytes_ - at < static_cast<std::size_t>(count)) return 0;
    std::uint32_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 8 | data_[at + static_cast<std::size_t>(little_ ? count - 1 - i : i)];
    return value;
  }

 private:
  const unsigned char* data_;
  std::size_t bytes_;
  bool little_;
};

int orientation_in(const unsigned char* data, std::size_t bytes) {
  constexpr std::uint32_t kOrientation = 0x0112, kShort = 3;
  const Tiff tiff(data, bytes);
  if (tiff.number(2, 2) != 42) return 1;
  const std::size_t directory = tiff.number(4, 4);
  const std::size_t entries = tiff.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (tiff.number(entry, 2) != kOrientation || tiff.number(entry + 2, 2) != kShort) continue;
    const std::uint32_t value = tiff.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

int exif_orientation_of(const unsigned char* data, std::size_t bytes) {
  constexpr unsigned char kApp1 = 0xE1, kScan = 0xDA;
  constexpr std::size_t kName = 6;  // "Exif" and two zeros
  std::size_t at = 2;
  while (at + 4 <= bytes && data[at] == 0xFF) {
    const unsigned char marker = data[at + 1];
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    const std::size_t length = static_cast<std::size_t>(data[at + 2]) << 8 | data[at + 3];
    if (marker == kScan || length < 2 || bytes - at - 2 < length) return 1;
    const unsigned char* segment = data + at + 4;
    if (marker == kApp1 && length >= 2 + kName && std::memcmp(segment, "Exif\0\0", kName) == 0)
      return orientation_in(segment + kName, length - 2 - kName);
    at += 2 + length;
  }
  return 1;
}

}  // namespace glidepath
