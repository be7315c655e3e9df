// src/files/read_file.h - all of a file at once.
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace glidepath {

/// All bytes of a file. Throws RunError naming the file when it cannot be read, as a folder cannot.
std::string read_file(const std::filesystem::path& file);

/// Likewise, into a buffer that keeps its memory from one file to the next, and no more than so many bytes.
void read_file(const std::string& file, std::vector<unsigned char>& buffer, std::size_t most);

/// All bytes of a file; nothing when it cannot be read.
std::optional<std::string> try_read_file(const std::filesystem::path& file);

}  // namespace glidepath
