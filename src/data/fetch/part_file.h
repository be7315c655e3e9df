// src/data/fetch/part_file.h - a file that grows while it is fetched or unpacked.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "files/folder.h"

namespace glidepath {

/// Appends go to the end. Every failure of the disk throws RunError that names the file and says what to do.
class PartFile {
 public:
  /// Opens the file `name`, with what an earlier run left in it, or makes it. A link in its place, or what
  /// else is no file of ours (see Folder::open_plain), is removed and never opened.
  PartFile(const Folder& folder, const std::string& name);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  std::int64_t size() const { return size_; }
  void append(const char* data, std::size_t bytes);
  void clear();
  /// Hands out all of it, block after block.
  void read(const std::function<void(const char* data, std::size_t bytes)>& take) const;
  /// Waits until all of it is on the disk.
  void sync();

 private:
  [[noreturn]] void fail(int reason) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

/// Renames within one file system and writes the change through to the disk; replaces what has the new name.
void move_into_place(const Folder& folder, const std::string& name, const Folder& to,
                     const std::string& new_name);

/// Makes the folder and those above it.
void make_folder(const std::filesystem::path& folder);

}  // namespace glidepath
