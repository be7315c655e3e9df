// src/data/part_file.cpp - a file that grows while it is fetched or unpacked.
#include "data/part_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "files/atomic_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

[[noreturn]] void cannot_write(const fs::path& path, int reason) {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  throw RunError(fmt::format("{}: cannot write: {}; {}", path.string(), std::strerror(reason),
                             full
                                 ? "free some space and run the same command again, it goes on from here; or "
                                   "name a folder on another disk by --data-dir"
                                 : "name a folder that may be written by --data-dir or GLIDEPATH_DATA"));
}

}  // namespace

PartFile::PartFile(fs::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) fail(errno);
  size_ = status.st_size;
}

PartFile::~PartFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void PartFile::append(const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::pwrite(descriptor_, data, bytes, size_);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count < 0 ? errno : ENOSPC);
    data += count;
    bytes -= static_cast<std::size_t>(count);
    size_ += count;
  }
}

void PartFile::clear() {
  if (::ftruncate(descriptor_, 0) != 0) fail(errno);
  size_ = 0;
}

void PartFile::sync() {
  if (::fsync(descriptor_) != 0) fail(errno);
}

void PartFile::fail(int reason) const { cannot_write(path_, reason); }

void move_into_place(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) cannot_write(to, errno);
  // The file's own bytes are on the disk already; this is for its name.
  flush_folder(to.parent_path());
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) cannot_write(folder, error.value());
}

}  // namespace glidepath
