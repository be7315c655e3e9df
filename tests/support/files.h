// tests/support/files.h - what a test reads back.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace glidepath {

/// All bytes of a file; none where there is no such file.
inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace glidepath
