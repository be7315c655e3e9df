// src/core/little_endian.h - numbers in the bytes of files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace glidepath {

/// Of `count` bytes, at most 8, from `at` on; the caller has looked whether they are there.
inline std::uint64_t little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = count; i > 0; --i)
    number = number << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return number;
}

}  // namespace glidepath
