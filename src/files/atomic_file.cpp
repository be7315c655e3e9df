// src/files/atomic_file.cpp - a file that becomes visible under its name only when it is whole and on the
// disk.
#include "files/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

fs::path temporary(const fs::path& file, TemporaryName name) {
  if (name == TemporaryName::kOfProcess) return fmt::format("{}.{}.part", file.string(), ::getpid());
  return file.string() + ".part";
}

void write_whole(const fs::path& file, TemporaryName name, const std::string& text) {
  AtomicFile out(file, name);
  out.write(text.data(), text.size());
  out.commit();
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& file, TemporaryName name)
    : file_(file), temporary_(temporary(file, name)) {
  descriptor_ =
      ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);  // less the umask, as ever
  if (descriptor_ < 0) fail("write");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::write(descriptor_, at, bytes);
    if (count < 0 && errno != EINTR) fail("write");
    if (count <= 0) continue;
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("flush");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("close");
  if (::rename(temporary_.c_str(), file_.c_str()) != 0) fail("replace");
  committed_ = true;
  flush_folder(file_.parent_path());
}

void AtomicFile::fail(const char* what) const {
  const int reason = errno;
  throw RunError(fmt::format("{}: cannot {}: {}", file_.string(), what, std::strerror(reason)));
}

void write_file(const fs::path& file, const std::string& text) {
  write_whole(file, TemporaryName::kOfFile, text);
}

void write_shared_file(const fs::path& file, const std::string& text) {
  write_whole(file, TemporaryName::kOfProcess, text);
}

void flush_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace glidepath
