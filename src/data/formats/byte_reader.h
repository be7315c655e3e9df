// src/data/formats/byte_reader.h - numbers out of the bytes of an image file, each checked to be there.
#pragma once
#include <cstddef>
#include <cstdint>

#include "data/formats/decode.h"

namespace glidepath {

/// Every call throws CorruptImage where the file has ended.
class ByteReader {
 public:
  ByteReader(const unsigned char* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  std::size_t size() const { return bytes_; }
  /// `count` bytes from `at` on.
  const unsigned char* part(std::size_t at, std::size_t count) const {
    if (at > bytes_ || count > bytes_ - at) throw CorruptImage("is truncated");
    return data_ + at;
  }
  std::uint8_t byte(std::size_t at) const { return *part(at, 1); }
  std::uint16_t little16(std::size_t at) const { return static_cast<std::uint16_t>(little(at, 2)); }
  std::uint32_t little32(std::size_t at) const { return little(at, 4); }

 private:
  std::uint32_t little(std::size_t at, std::size_t count) const {
    const unsigned char* from = part(at, count);
    std::uint32_t value = 0;
    for (std::size_t i = count; i > 0; --i) value = value << 8 | from[i - 1];
    return value;
  }

  const unsigned char* data_;
  std::size_t bytes_;
};

}  // namespace glidepath
