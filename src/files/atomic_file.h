// src/files/atomic_file.h - a file that becomes visible under its name only when it is whole and on the disk.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

#include "files/folder.h"

namespace glidepath {

/// Who may write a file at a time.
enum class Writers {
  kOne,     ///< what a kill left of an earlier try is removed
  kSeveral  ///< one of their texts remains
};

/// Written under a new name that nobody can guess, NAME.RANDOM.part, flushed, renamed, and the folder flushed
/// too, so that a crash of the machine leaves the old file or the new one. A link under the file's own name
/// is replaced, and what it leads to left alone. Without commit() nothing is left behind. Every member throws
/// RunError naming the file when the disk refuses.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& file, Writers writers = Writers::kOne);
  AtomicFile(const Folder& folder, const std::string& name, Writers writers = Writers::kOne);
  /// Takes over `descriptor`, which is open for writing on `part`, a new file in the folder.
  AtomicFile(const Folder& folder, const std::string& name, const std::string& part, int descriptor);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  void begin(Writers writers);
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path file_;  // as messages call it
  std::optional<Folder> folder_;
  std::string name_, part_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// A text file, whole or not at all.
void write_file(const std::filesystem::path& file, const std::string& text);
void write_file(const Folder& folder, const std::string& name, const std::string& text);

/// Likewise for a file that several processes may write at once; one of their texts remains.
void write_shared_file(const std::filesystem::path& file, const std::string& text);
void write_shared_file(const Folder& folder, const std::string& name, const std::string& text);

/// A copy of a regular file, whole or not at all. Throws RunError naming the file that fails.
void copy_whole(const std::filesystem::path& from, const std::filesystem::path& to,
                Writers writers = Writers::kOne);

/// Removes what a kill left of `name`'s parts.
void remove_parts(const Folder& folder, const std::string& name);

/// Flushes what a folder says of its files. Some file systems refuse this, and need it least.
void flush_folder(const std::filesystem::path& folder);

}  // namespace glidepath
