// src/data/archives/archive_reader.h - the regular files inside a tar, compressed or not, one after the
// other.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct archive;

namespace glidepath {

/// Streams; nothing is written anywhere by what an archive says: callers get names and bytes, and choose.
/// Throws SourceFailed when it is no tar archive (plain, or compressed as read_compressed() says) or is
/// damaged, and when it has more than `most_bytes`, uncompressed, before what is asked for: a few megabytes
/// can become terabytes of zeros.
class ArchiveReader {
 public:
  explicit ArchiveReader(const std::filesystem::path& path, std::int64_t most_bytes = kMostBytes);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// The last part of the next regular file's path ("data_batch_1.bin"); empty at the end.
  std::optional<std::string> next();
  /// Up to `bytes` bytes of that file; 0 at its end.
  std::size_t read(char* to, std::size_t bytes);
  /// Compressed bytes read so far.
  std::int64_t position() const;

 private:
  static constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;

  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::int64_t most_bytes_;
  struct archive* archive_;
};

}  // namespace glidepath
