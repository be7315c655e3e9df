// src/data/stores/input_file.h - a file that is read at places, by many threads.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "files/read_failed.h"

namespace glidepath {

/// Open for reading as long as it lives. Every read is a call of the system: a file that is cut off or whose
/// disk fails while it is in use gives an error, where a mapped one would end the process. Where a read
/// fails, the file is opened anew: a disk that was away and came back knows nothing of what was open.
class InputFile {
 public:
  /// Throws InputError naming the file when it cannot be opened or is no regular file, ReadFailed when its
  /// disk is in trouble. `called` is what messages call it, where that is not its path.
  explicit InputFile(const std::filesystem::path& path, std::filesystem::path called = {});
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return called_; }
  int descriptor() const { return descriptor_.load(); }
  /// Bytes, and the time of the last change in ns since 1970, as they were when it was opened.
  std::uint64_t size() const { return size_; }
  std::int64_t changed() const { return changed_; }

  /// Up to `bytes` bytes from `offset`; fewer at the end of the file alone. Throws ReadFailed when the disk
  /// fails.
  std::size_t read_some(void* to, std::size_t bytes, std::uint64_t offset) const;
  /// Exactly `bytes` bytes; throws ReadFailed when the file ends before.
  void read(void* to, std::size_t bytes, std::uint64_t offset) const;

 private:
  std::size_t read_from(int descriptor, void* to, std::size_t bytes, std::uint64_t offset) const;
  bool open_anew(int failed) const;

  std::filesystem::path path_, called_;
  mutable std::atomic<int> descriptor_{-1};
  mutable std::mutex mutex_;
  mutable std::vector<int> given_up_;  // others may be reading from them
  std::uint64_t size_ = 0;
  std::int64_t changed_ = 0;
};

}  // namespace glidepath
