// tests/model/stored_zip.h - zip archives of a test's own making.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include <zlib.h>

namespace glidepath {

/// Entries by name, as they are.
inline std::string stored_zip(const std::map<std::string, std::string>& entries) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
  };
  std::string archive, directory;
  for (const auto& [name, bytes] : entries) {
    const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
    const std::string facts = number(0, 8) + number(::crc32(0, data, static_cast<uInt>(bytes.size())), 4) +
                              number(bytes.size(), 4) + number(bytes.size(), 4) + number(name.size(), 2) +
                              number(0, 2);
    directory += "PK\x01\x02" + number(20, 2) + number(20, 2) + facts + number(0, 10) +
                 number(archive.size(), 4) + name;
    archive += "PK\x03\x04" + number(20, 2) + facts + name + bytes;
  }
  return archive + directory + "PK\x05\x06" + number(0, 4) + number(entries.size(), 2) +
         number(entries.size(), 2) + number(directory.size(), 4) + number(archive.size(), 4) + number(0, 2);
}

}  // namespace glidepath
