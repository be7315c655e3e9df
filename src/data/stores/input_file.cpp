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
namespace {

/// Not waiting for the other end of a pipe; for regular files that means nothing.
int open_waiting_for_none(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

std::int64_t time_of(const struct stat& status) {
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& path, std::filesystem::path called)
    : path_(path), called_(called.empty() ? path : std::move(called)) {
  const int descriptor = open_waiting_for_none(path);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) {
    const int reason = errno;
    if (descriptor >= 0) ::close(descriptor);
    const std::string message =
        fmt::format("{}: cannot be read: {}", called_.string(), std::strerror(reason));
    if (is_trouble_of_the_disk(reason)) throw ReadFailed(message, reason);
    throw InputError(message);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw InputError(fmt::format("{}: is no regular file", called_.string()));
  }
  descriptor_ = descriptor;
  size_ = static_cast<std::uint64_t>(status.st_size);
  changed_ = time_of(status);
}

InputFile::~InputFile() {
  for (const int descriptor : given_up_) ::close(descriptor);
  ::close(descriptor_);
}

// Counts as the same as long as size and time are: what is read of it would not fit its index otherwise.
bool InputFile::open_anew(int failed) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (descriptor_ != failed) return true;  // another thread was here first
  const int descriptor = open_waiting_for_none(path_);
  struct stat status {};
  const bool is_same = descriptor >= 0 && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                       static_cast<std::uint64_t>(status.st_size) == size_ && time_of(status) == changed_;
  if (!is_same) {
    if (descriptor >= 0) ::close(descriptor);
    return false;
  }
  given_up_.push_back(failed);
  descriptor_ = descriptor;
  return true;
}

std::size_t InputFile::read_from(int descriptor, void* to, std::size_t bytes, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t count =
        ::pread(descriptor, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int reason = errno;
      throw ReadFailed(fmt::format("{}: cannot be read at byte {}: {}", called_.string(), offset + done,
                                   std::strerror(reason)),
                       reason);
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

std::size_t InputFile::read_some(void* to, std::size_t bytes, std::uint64_t offset) const {
  const int descriptor = descriptor_;
  try {
    return read_from(descriptor, to, bytes, offset);
  } catch (const ReadFailed&) {
    if (!open_anew(descriptor)) throw;
  }
  return read_from(descriptor_, to, bytes, offset);
}

void InputFile::read(void* to, std::size_t bytes, std::uint64_t offset) const {
  const int descriptor = descriptor_;
  std::size_t count = read_some(to, bytes, offset);
  if (count < bytes && open_anew(descriptor)) count = read_some(to, bytes, offset);
  if (count < bytes) {
    throw ReadFailed(fmt::format("{}: ends at byte {}, {} bytes short of what was there when it was opened",
                                 called_.string(), offset + count, bytes - count),
                     0);
  }
}

}  // namespace glidepath
