// src/files/atomic_file.h - a file that becomes visible under its name only when it is whole and on the disk.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace glidepath {

/// What a file is called, in its folder, until it is whole.
enum class TemporaryName {
  kOfFile,     ///< NAME.part: what a kill left is written over the next time
  kOfProcess,  ///< NAME.PID.part: for a file that several processes may write at once
};

/// Written under a temporary name, flushed, renamed, and the folder flushed too, so that a crash of the
/// machine leaves the old file or the new one. Without commit() nothing is left behind. Every member throws
/// RunError naming the file when the disk refuses.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& file, TemporaryName name = TemporaryName::kOfFile);
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
void write_file(const std::filesystem::path& file, const std::string& text);

/// Likewise for a file that several processes may write at once; one of their texts remains.
void write_shared_file(const std::filesystem::path& file, const std::string& text);

/// Flushes what a folder says of its files. Some file systems refuse this, and need it least.
void flush_folder(const std::filesystem::path& folder);

}  // namespace glidepath
