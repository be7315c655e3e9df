// src/data/fetch/part_file.cpp - a file that grows while it is fetched or unpacked.
#include "data/fetch/part_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

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

PartFile::PartFile(const Folder& folder, const std::string& name) : path_(folder.path() / name) {
  descriptor_ = folder.open_or_create(name, O_RDWR, 0644);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(errno);
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

void PartFile::read(const std::function<void(const char*, std::size_t)>& take) const {
  std::vector<char> block(std::size_t{1} << 20);
  for (std::int64_t at = 0; at < size_;) {
    const ssize_t count = ::pread(descriptor_, block.data(), block.size(), at);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw RunError(fmt::format("{}: cannot be read: {}", path_.string(), std::strerror(errno)));
    if (count == 0) break;
    take(block.data(), static_cast<std::size_t>(count));
    at += count;
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

void move_into_place(const Folder& folder, const std::string& name, const Folder& to,
                     const std::string& new_name) {
  if (::renameat(folder.descriptor(), name.c_str(), to.descriptor(), new_name.c_str()) != 0)
    cannot_write(to.path() / new_name, errno);
  // The file's own bytes are on the disk already; this is for its name.
  to.flush();
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) cannot_write(folder, error.value());
}

}  // namespace glidepath
