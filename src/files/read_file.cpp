// src/files/read_file.cpp - all of a file at once.
#include "files/read_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr auto kNoLimit = std::numeric_limits<std::size_t>::max();

/// False when it cannot be read, and with EFBIG as errno when it has more bytes than `most`.
template <typename Buffer>
bool read_all(int descriptor, Buffer& buffer, std::size_t most) {
  // One byte more than it has, so that its end shows without growing; pipes and /proc tell no size.
  constexpr std::size_t kLeast = 4096;
  struct stat found {};
  const bool is_sized = ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0;
  errno = EFBIG;
  if (is_sized && static_cast<std::uint64_t>(found.st_size) > most) return false;
  buffer.resize(is_sized ? static_cast<std::size_t>(found.st_size) + 1 : kLeast);
  std::size_t have = 0;
  for (;;) {
    if (have == buffer.size()) buffer.resize(2 * have);
    const ssize_t count = ::read(descriptor, buffer.data() + have, buffer.size() - have);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      buffer.resize(have);
      return count == 0;
    }
    have += static_cast<std::size_t>(count);
    if (have > most) {
      errno = EFBIG;
      return false;
    }
  }
}

/// False, and errno says why, when it cannot be read.
template <typename Buffer>
bool read_into(const char* file, Buffer& buffer, std::size_t most = kNoLimit) {
  const int descriptor = ::open(file, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool is_read = read_all(descriptor, buffer, most);
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return is_read;
}

[[noreturn]] void refuse(const std::string& file) {
  const int reason = errno;
  throw RunError(fmt::format("{}: cannot be read: {}", file, std::strerror(reason)));
}

}  // namespace

std::string read_file(const fs::path& file) {
  std::string text;
  if (!read_into(file.c_str(), text)) refuse(file.string());
  return text;
}

void read_file(const std::string& file, std::vector<unsigned char>& buffer, std::size_t most) {
  if (read_into(file.c_str(), buffer, most)) return;
  if (errno == EFBIG) throw RunError(fmt::format("{}: has more than {} bytes", file, most));
  refuse(file);
}

std::optional<std::string> try_read_file(const fs::path& file) {
  std::string text;
  if (!read_into(file.c_str(), text)) return std::nullopt;
  return text;
}

}  // namespace glidepath
