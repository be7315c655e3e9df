// src/data/images/read_file.cpp - a whole file into a buffer that is used again and again.
#include "data/images/read_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : value_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

[[noreturn]] void refuse(const std::string& path) {
  throw RunError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
}

}  // namespace

void read_whole_file(const std::string& path, std::vector<unsigned char>& buffer) {
  const Descriptor file(path);
  struct stat found {};
  if (file.value() < 0 || fstat(file.value(), &found) != 0) refuse(path);
  buffer.resize(static_cast<std::size_t>(found.st_size));
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ssize_t got = read(file.value(), buffer.data() + have, buffer.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path);
    if (got == 0) break;  // it has become shorter
    have += static_cast<std::size_t>(got);
  }
  buffer.resize(have);
}

}  // namespace glidepath
