// src/data/part_file.h - a file that grows while it is fetched or unpacked.
#pragma once
#include <cstdint>
#include <filesystem>

namespace glidepath {

/// Appends go to the end. Every failure of the disk throws RunError that names the file and says what to do.
class PartFile {
 public:
  /// Opens `path`, with what an earlier run left in it, or makes it.
  explicit PartFile(std::filesystem::path path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const { return size_; }
  void append(const char* data, std::size_t bytes);
  void clear();
  /// Waits until all of it is on the disk.
  void sync();

 private:
  [[noreturn]] void fail(int reason) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// Renames within one file system and writes the change through to the disk; replaces `to`.
void move_into_place(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes the folder and those above it.
void make_folder(const std::filesystem::path& folder);

}  // namespace glidepath
