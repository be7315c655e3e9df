// src/data/images/read_file.h - a whole file into a buffer that is used again and again.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

/// Throws RunError naming the file when it cannot be read.
void read_whole_file(const std::string& path, std::vector<unsigned char>& buffer);

}  // namespace glidepath
