// src/data/stores/input_file.h - a file that is read at places, by many threads.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace glidepath {

/// Open for reading as long as it lives. Every read is a call of the system: a file that is cut off or whose
/// disk fails while it is in use gives an error, where a mapped one would end the process.
class InputFile {
 public:
  /// Throws InputError naming the file when it cannot be opened or is no regular file.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  /// Bytes, and the time of the last change in ns since 1970, as they were when it was opened.
  std::uint64_t size() const { return size_; }
  std::int64_t changed() const { return changed_; }

  /// Up to `bytes` bytes from `offset`; fewer at the end of the file alone. Throws RunError when the disk
  /// fails.
  std::size_t read_some(void* to, std::size_t bytes, std::uint64_t offset) const;
  /// Exactly `bytes` bytes; throws RunError when the file ends before.
  void read(void* to, std::size_t bytes, std::uint64_t offset) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t changed_ = 0;
};

}  // namespace glidepath
