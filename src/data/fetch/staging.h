// src/data/fetch/staging.h - a file of the data set, written aside, checked, then put in its place.
#pragma once
#include <filesystem>
#include <string>

#include "data/fetch/check_file.h"
#include "data/fetch/part_file.h"

namespace glidepath {

/// One file of the data set on its way: its content is judged while it is written.
class StagedFile {
 public:
  /// In `folder`, under its own name, made anew; `file` must outlive it.
  StagedFile(const Folder& folder, const DataFile& file);
  /// Throws SourceFailed as soon as there is more than there should be.
  void write(const char* data, std::size_t bytes);
  /// Throws SourceFailed unless the content is right; then it is on the disk.
  void finish();

 private:
  const DataFile& file_;
  PartFile part_;
  ContentCheck check_;
};

}  // namespace glidepath
