// src/data/stores/input_file.cpp - a file that is read at places, by many threads.
#include "data/stores/input_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

InputFile::InputFile(const std::filesystem::path& path)
    : path_(path),
      descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {  // waits for no pipe
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string reason = std::strerror(errno);
    if (descriptor_ >= 0) ::close(descriptor_);
    throw InputError(fmt::format("{}: cannot be read: {}", path.string(), reason));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw InputError(fmt::format("{}: is no regular file", path.string()));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  changed_ = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

InputFile::~InputFile() { ::close(descriptor_); }

std::size_t InputFile::read_some(void* to, std::size_t bytes, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t count =
        ::pread(descriptor_, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw RunError(fmt::format("{}: cannot be read at byte {}: {}", path_.string(), offset + done,
                                 std::strerror(errno)));
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void InputFile::read(void* to, std::size_t bytes, std::uint64_t offset) const {
  const std::size_t count = read_some(to, bytes, offset);
  if (count < bytes) {
    throw RunError(fmt::format("{}: ends at byte {}, {} bytes short of what was there when it was opened",
                               path_.string(), offset + count, bytes - count));
  }
}

}  // namespace glidepath
