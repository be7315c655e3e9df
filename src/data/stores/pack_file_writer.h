// src/data/stores/pack_file_writer.h - writes the file of a pack, image after image.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/stores/pack_format.h"
#include "files/atomic_file.h"

namespace glidepath {

/// An image as a pack will hold it.
struct PackedImage {
  std::vector<unsigned char> data;
  bool is_rgb = false;  ///< pixels [height, width, 3]; else a JPEG or PNG file
  int height = 0, width = 0;
};

std::uint32_t pack_checksum(const void* data, std::size_t bytes);

/// Held by the one process that writes FILE.part: two that make one pack would write into one file, and the
/// first to be done would give it its name.
class PartLock {
 public:
  /// Throws RunError where another process holds it. A file system without locks is done without.
  explicit PartLock(const std::filesystem::path& file);
  ~PartLock();
  PartLock(const PartLock&) = delete;
  PartLock& operator=(const PartLock&) = delete;

 private:
  bool try_once(const std::filesystem::path& file, const std::filesystem::path& part);

  int descriptor_ = -1;
};

/// The file appears under its name when finish() returns; before that, and when anything throws, there is
/// none. Throws RunError naming the file when the disk refuses.
class PackFileWriter {
 public:
  enum Split { kTrain, kVal };

  /// `settings` says how the images were made, for `glidepath data info`.
  PackFileWriter(const std::filesystem::path& file, const std::string& settings,
                 const std::vector<std::string>& class_names);
  void add(Split split, const PackedImage& image, std::int64_t label, const std::string& name);
  /// Bytes written so far.
  std::uint64_t bytes() const { return offset_; }
  void finish();

 private:
  struct SplitIndex {
    std::vector<PackRecord> records;
    std::string names;
  };
  void write(const void* data, std::size_t bytes);

  PartLock lock_;
  AtomicFile file_;
  std::string index_;
  SplitIndex splits_[2];
  std::uint64_t offset_ = 0;
};

}  // namespace glidepath
