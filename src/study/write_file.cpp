// src/study/write_file.cpp - a text file that is there whole or not at all.
#include "study/write_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

void write_file(const std::filesystem::path& file, const std::string& text) {
  // Two study processes may end at once: each has a temporary name of its own.
  const std::string temporary = fmt::format("{}.{}.part", file.string(), ::getpid());
  std::FILE* stream = std::fopen(temporary.c_str(), "wb");
  bool is_whole = stream != nullptr && std::fwrite(text.data(), 1, text.size(), stream) == text.size() &&
                  std::fflush(stream) == 0 && ::fsync(::fileno(stream)) == 0;
  if (stream != nullptr) is_whole = std::fclose(stream) == 0 && is_whole;
  if (is_whole && std::rename(temporary.c_str(), file.c_str()) == 0) return;
  const int reason = errno;
  std::remove(temporary.c_str());
  throw RunError(fmt::format("{}: cannot write: {}", file.string(), std::strerror(reason)));
}

}  // namespace glidepath
