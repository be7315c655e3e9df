// src/files/read_file.cpp - all of a file at once.
#include "files/read_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr int kNotRegular = ENODEV;  // as errno

/// False when it cannot be read, and with EFBIG as errno when it has more bytes than `most`.
template <typename Buffer>
bool read_all(int descriptor, Buffer& buffer, std::size_t most) {
  // One byte more than it has, so that its end shows without growing; pipes and /proc tell no size.
  constexpr std::size_t kLeast = 4096;
  struct stat found {};
  const bool is_sized = ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0;
  errno = EFBIG;
  if (is_sized && static_cast<std::uint64_t>(found.st_size) > most) return false;
  buffer.resize(is_sized ? static_cast<std::size_t>(found.st_size) + 1 : std::min(kLeast, most + 1));
  std::size_t have = 0;
  for (;;) {
    if (have == buffer.size()) buffer.resize(have > most / 2 ? most + 1 : 2 * have);
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

/// False, and errno says why, when it cannot be read. Closes the descriptor.
template <typename Buffer>
bool read_into(int descriptor, Buffer& buffer, std::size_t most) {
  if (descriptor < 0) return false;
  const bool is_read = read_all(descriptor, buffer, most);
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  return is_read;
}

[[noreturn]] void refuse(const std::string& file, std::size_t most) {
  const int reason = errno;
  if (reason == EFBIG) throw RunError(fmt::format("{}: has more than {} bytes", file, most));
  const char* why = reason == kNotRegular ? "it is no regular file" : std::strerror(reason);
  throw ReadFailed(fmt::format("{}: cannot be read: {}", file, why), reason);
}

std::string piece_of(const fs::path& file, std::size_t bytes, bool last) {
  const int descriptor = open_regular(file);
  if (descriptor < 0) return {};
  struct stat found {};
  std::string text;
  if (::fstat(descriptor, &found) == 0 && found.st_size > 0) {
    const auto limit = static_cast<off_t>(bytes);
    text.resize(static_cast<std::size_t>(std::min<off_t>(found.st_size, limit)));
    const off_t begin = last ? std::max<off_t>(0, found.st_size - limit) : 0;
    const ssize_t count = ::pread(descriptor, text.data(), text.size(), begin);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  }
  ::close(descriptor);
  return text;
}

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

int open_regular(const fs::path& file) {
  // Not to wait for a pipe's other end; for regular files it means nothing.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat found {};
  if (descriptor < 0 || (::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode))) return descriptor;
  ::close(descriptor);
  errno = S_ISDIR(found.st_mode) ? EISDIR : kNotRegular;
  return -1;
}

bool is_trouble_of_the_disk(int reason) {
  switch (reason) {
    case EACCES:
    case EPERM:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
    case kNotRegular:
    case EFBIG:
    case EOVERFLOW:
      return false;
    default:
      return true;
  }
}

void throw_if_in_trouble(const fs::path& path, const std::error_code& error) {
  if (!error || !is_trouble_of_the_disk(error.value())) return;
  throw ReadFailed(fmt::format("{}: cannot be read: {}", path.string(), error.message()), error.value());
}

std::string read_file(const fs::path& file, std::size_t most) {
  std::string text;
  if (!read_into(open_regular(file), text, most)) refuse(file.string(), most);
  return text;
}

void read_file(const std::string& file, std::vector<unsigned char>& buffer, std::size_t most) {
  if (!read_into(open_regular(file), buffer, most)) refuse(file, most);
}

std::optional<std::string> try_read_file(const fs::path& file, std::size_t most) {
  std::string text;
  if (!read_into(open_regular(file), text, most)) return std::nullopt;
  return text;
}

std::optional<std::string> try_read_given_file(const fs::path& file, std::size_t most) {
  std::string text;
  if (!read_into(::open(file.c_str(), O_RDONLY | O_CLOEXEC), text, most)) return std::nullopt;
  return text;
}

std::string text_of_own_file(const fs::path& file) {
  constexpr std::size_t kMost = 4096;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat found {};
  if (descriptor < 0) return {};
  const bool is_ours =
      ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid();
  std::string text;
  if (is_ours && read_into(descriptor, text, kMost)) return text;
  if (!is_ours) ::close(descriptor);
  return {};
}

LineFile::LineFile(const fs::path& file) : descriptor_(open_regular(file)) {}

LineFile::~LineFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool LineFile::fill() {
  constexpr std::size_t kStep = std::size_t{1} << 16;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  if (descriptor_ < 0 || read_ >= kMostBytes) return false;
  buffer_.erase(0, std::exchange(at_, 0));
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kStep);
  ssize_t count = 0;
  do count = ::read(descriptor_, buffer_.data() + have, kStep);
  while (count < 0 && errno == EINTR);
  buffer_.resize(have + static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  read_ += static_cast<std::uint64_t>(std::max<ssize_t>(0, count));
  return count > 0;
}

bool LineFile::next(std::string& line) {
  constexpr std::size_t kMostOfLine = std::size_t{1} << 20;
  bool is_too_long = false;
  std::size_t looked = 0;  // of the line
  for (;;) {
    const std::size_t end = buffer_.find('\n', at_ + looked);
    if (end != std::string::npos && !is_too_long) {
      line.assign(buffer_, at_, end - at_);
      at_ = end + 1;
      return true;
    }
    if (end != std::string::npos) {
      at_ = end + 1;
      is_too_long = false;
      looked = 0;
      continue;
    }
    looked = buffer_.size() - at_;
    if (looked > kMostOfLine) {
      is_too_long = true;
      at_ = buffer_.size();
      looked = 0;
    }
    if (!fill()) break;
  }
  line.assign(buffer_, at_, std::string::npos);
  at_ = buffer_.size();
  return !line.empty() && !is_too_long;
}

std::string head_of(const fs::path& file, std::size_t bytes) { return piece_of(file, bytes, false); }
std::string tail_of(const fs::path& file, std::size_t bytes) { return piece_of(file, bytes, true); }

}  // namespace glidepath
