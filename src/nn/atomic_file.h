// src/nn/atomic_file.h - a file that becomes visible under its name only when it is whole and on the disk.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace glidepath {

/// Written under a temporary name (".part" after its own), flushed, renamed, and the folder flushed too, so
/// that a crash of the machine leaves the old file or the new one. Without commit() nothing is left behind.
/// Every member throws RunError naming the file when the disk refuses.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& file);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path file_, temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// A text file, whole or not at all.
void write_file_atomically(const std::filesystem::path& file, const std::string& text);

/// Flushes what a folder says of its files. Some file systems refuse this, and need it least.
void flush_folder(const std::filesystem::path& folder);

}  // namespace glidepath
