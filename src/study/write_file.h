// src/study/write_file.h - a text file that is there whole or not at all.
#pragma once
#include <filesystem>
#include <string>

namespace glidepath {

/// Temporary name, fsync, rename. Throws RunError naming the file.
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace glidepath
