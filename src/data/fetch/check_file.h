// src/data/fetch/check_file.h - one file of a data set against its size, checksum and labels.
#pragma once
#include <filesystem>
#include <functional>
#include <string>

#include "data/fetch/fetch_context.h"
#include "files/checksum.h"
#include "glidepath/fetch.h"

namespace glidepath {

/// Judges content that comes in pieces.
class ContentCheck {
 public:
  explicit ContentCheck(const DataFile& expected) : expected_(expected), hasher_(expected.checksum) {}
  void add(const char* data, std::size_t bytes);
  std::int64_t bytes() const { return bytes_; }
  std::int64_t labels() const { return labels_; }
  /// What is wrong with all that came; empty: nothing. Once.
  std::string problem();

 private:
  void check_labels(const char* data, std::size_t bytes);

  const DataFile& expected_;
  Hasher hasher_;
  std::int64_t bytes_ = 0, labels_ = 0;
  std::string label_problem_;
};

/// The file as it lies in `folder`: plain, or its .gz where allowed and no plain one is there.
std::filesystem::path file_in(const std::filesystem::path& folder, const DataFile& file);

/// Takes the content as it is read.
using ContentSink = std::function<void(const char* data, std::size_t bytes)>;

/// Reads `path` (through gzip for or_gz files) and judges it. Progress goes on from `done` bytes; content
/// bytes count. Throws Interrupted.
FileCheck check_file(const std::filesystem::path& path, const DataFile& expected, FetchContext& context,
                     std::int64_t done = 0, const ContentSink& sink = {});

/// Every file of the data set in `folder`.
std::vector<FileCheck> check_files(const std::filesystem::path& folder, const DataSource& source,
                                   FetchContext& context,
                                   const std::function<void(const FileCheck&)>& on_file = {});

}  // namespace glidepath
