// src/data/fetch/check_file.cpp - one file of a data set against its size, checksum and labels.
#include "data/fetch/check_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

#include "data/fetch/locations.h"
#include "files/read_file.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

/// Plain bytes, or those inside gzip where the file is that and may be.
class ContentReader {
 public:
  ContentReader(const fs::path& path, bool or_gz) {
    descriptor_ = open_regular(path);
    if (descriptor_ < 0 || !or_gz) return;
    gz_ = gzdopen(descriptor_, "rb");  // reads plain files as they are
    if (gz_ != nullptr) gzbuffer(gz_, 1U << 18);
  }
  ~ContentReader() {
    if (gz_ != nullptr) {
      gzclose(gz_);
    } else if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  /// Bytes read; 0 at the end; -1 with `problem` set.
  std::ptrdiff_t read(char* to, std::size_t bytes, std::string& problem) {
    if (gz_ == nullptr) {
      const ssize_t count = ::read(descriptor_, to, bytes);
      if (count < 0) problem = fmt::format("cannot be read: {}", std::strerror(errno));
      return count;
    }
    const int count = gzread(gz_, to, static_cast<unsigned>(bytes));
    int status = Z_OK;
    const char* text = gzerror(gz_, &status);
    if (count < 0 || (count == 0 && status == Z_BUF_ERROR)) {
      problem = status == Z_BUF_ERROR ? "its compressed stream is cut off"
                : status == Z_ERRNO   ? fmt::format("cannot be read: {}", std::strerror(errno))
                                      : fmt::format("its compressed stream is damaged ({})", text);
      return -1;
    }
    return count;
  }

 private:
  int descriptor_ = -1;
  gzFile gz_ = nullptr;
};

}  // namespace

void ContentCheck::add(const char* data, std::size_t bytes) {
  hasher_.add(data, bytes);
  if (expected_.labels_at >= 0 && label_problem_.empty()) check_labels(data, bytes);
  bytes_ += static_cast<std::int64_t>(bytes);
}

void ContentCheck::check_labels(const char* data, std::size_t bytes) {
  const std::int64_t end = bytes_ + static_cast<std::int64_t>(bytes);
  for (;; ++labels_) {
    const std::int64_t at = expected_.labels_at + labels_ * expected_.label_stride;
    if (at >= end || at >= expected_.bytes) return;
    const auto label = static_cast<unsigned char>(data[at - bytes_]);
    if (label < expected_.classes) continue;
    label_problem_ =
        fmt::format("record {} has label {}, expected 0 to {}", labels_, label, expected_.classes - 1);
    return;
  }
}

std::string ContentCheck::problem() {
  if (bytes_ < expected_.bytes) {
    return fmt::format("{} bytes, expected {}; the copy is truncated", bytes_, expected_.bytes);
  }
  if (bytes_ > expected_.bytes) {
    return fmt::format("{} bytes or more, expected {}; this is not the official file", bytes_,
                       expected_.bytes);
  }
  if (!label_problem_.empty()) return label_problem_;
  const std::string found = hasher_.finish();
  return found == expected_.checksum ? ""
                                     : fmt::format("checksum {}, expected {}", found, expected_.checksum);
}

fs::path file_in(const fs::path& folder, const DataFile& file) {
  std::error_code error;
  const fs::path plain = folder / file.name, compressed = folder / (file.name + ".gz");
  return file.or_gz && !fs::exists(plain, error) && fs::exists(compressed, error) ? compressed : plain;
}

FileCheck check_file(const fs::path& path, const DataFile& expected, FetchContext& context, std::int64_t done,
                     const ContentSink& sink) {
  FileCheck check{path, FileCheck::State::kMissing, "missing", 0, expected.checksum, 0};
  std::error_code error;
  if (!fs::exists(path, error)) return check;
  check.state = FileCheck::State::kDamaged;
  check.problem = "is not a file";
  if (!fs::is_regular_file(path, error)) return check;
  ContentReader reader(path, expected.or_gz);
  if (!reader.is_open()) {
    check.problem = fmt::format("cannot be read: {}", std::strerror(errno));
    return check;
  }
  ContentCheck content(expected);
  std::vector<char> block(1U << 20);
  check.problem.clear();
  // One byte past the expected end tells that there is more.
  while (content.bytes() <= expected.bytes) {
    const std::ptrdiff_t count = reader.read(block.data(), block.size(), check.problem);
    if (count <= 0) break;
    content.add(block.data(), static_cast<std::size_t>(count));
    if (sink) sink(block.data(), static_cast<std::size_t>(count));
    context.advance(done + content.bytes());
  }
  check.bytes = content.bytes();
  check.labels = content.labels();
  if (check.problem.empty()) check.problem = content.problem();
  if (check.problem.empty()) check.state = FileCheck::State::kWhole;
  return check;
}

std::vector<FileCheck> check_files(const fs::path& folder, const DataSource& source, FetchContext& context,
                                   const std::function<void(const FileCheck&)>& on_file) {
  std::vector<FileCheck> checks;
  std::int64_t total = 0, done = 0;
  std::error_code error;
  for (const DataFile& file : source.files)
    total += fs::exists(file_in(folder, file), error) ? file.bytes : 0;
  if (total > 0) context.begin("checking", source.name, total);
  for (const DataFile& file : source.files) {
    checks.push_back(check_file(file_in(folder, file), file, context, done));
    if (checks.back().state != FileCheck::State::kMissing) done += file.bytes;
    if (on_file) on_file(checks.back());
  }
  return checks;
}

std::vector<FileCheck> verify_dataset(const DataSource& source, const FetchOptions& options,
                                      const std::function<void(const FileCheck&)>& on_file) {
  FetchContext context(options);
  return check_files(need_folder(source, options.data_dir), source, context, on_file);
}

std::vector<FileCheck> verify_dataset(const std::string& name, const FetchOptions& options,
                                      const std::function<void(const FileCheck&)>& on_file) {
  return verify_dataset(data_source(name), options, on_file);
}

}  // namespace glidepath
