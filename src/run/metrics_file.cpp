// src/run/metrics_file.cpp - metrics.jsonl: lines that are kept until the disk has taken them.
#include "run/metrics_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "files/folder.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // millions of lines

}  // namespace

MetricsFile::MetricsFile(fs::path file, std::uint64_t bytes) : file_(std::move(file)) {
  if (bytes == 0) return;
  text_ = try_read_file(file_, kMostBytes).value_or("");
  if (text_.size() > bytes) text_.resize(bytes);
  written_ = text_.size();
}

void MetricsFile::cut(std::uint64_t bytes) {
  text_.resize(std::min<std::uint64_t>(bytes, text_.size()));
  written_ = std::min<std::uint64_t>(written_, text_.size());
}

void MetricsFile::write() { write_out(false); }
void MetricsFile::flush() { write_out(true); }

void MetricsFile::move_to(fs::path file) {
  file_ = std::move(file);
  written_ = 0;
}

// Opened each time: a file that is held open can be removed without our noticing, and keeps a disk from being
// unmounted or made read-only. A link in its place, or a file that has other names, is replaced by one of
// ours.
void MetricsFile::write_out(bool flush) {
  const Folder folder = Folder::open(file_.parent_path());
  const int descriptor = folder.open_or_create(file_.filename().string(), O_WRONLY, 0644);
  struct stat found {};
  bool good = ::fstat(descriptor, &found) == 0;
  if (static_cast<std::uint64_t>(found.st_size) < written_) written_ = 0;  // not the file we wrote
  if (good && static_cast<std::uint64_t>(found.st_size) > written_)
    good = ::ftruncate(descriptor, static_cast<off_t>(written_)) == 0;
  std::uint64_t position = written_;
  while (good && position < text_.size()) {
    const ssize_t count =
        ::pwrite(descriptor, text_.data() + position, text_.size() - position, static_cast<off_t>(position));
    good = count > 0 || (count < 0 && errno == EINTR);
    if (count > 0) position += static_cast<std::uint64_t>(count);
  }
  if (good && flush) good = ::fsync(descriptor) == 0;
  const int reason = errno;
  if (!good && position > written_ && ::ftruncate(descriptor, static_cast<off_t>(written_)) != 0) {
    // A line cut in two stays until the next write; readers leave such a line out.
  }
  ::close(descriptor);
  if (!good) {
    throw RunError(fmt::format("{}: cannot write: {}", file_.string(), std::strerror(reason)));
  }
  written_ = position;
}

}  // namespace glidepath
