// src/data/packs/pack_file_writer.h - writes the file of a pack, image after image.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/packs/pack_format.h"
#include "files/atomic_file.h"
#include "files/folder.h"

namespace glidepath {

/// An image as a pack will hold it.
struct PackedImage {
  std::vector<unsigned char> data;
  bool is_rgb = false;  ///< pixels [height, width, 3]; else an image file
  int height = 0, width = 0;
};

std::uint32_t pack_checksum(const void* data, std::size_t bytes);

/// FILE.part, a new file, locked by the one process that writes it: of two that make one pack the second is
/// refused. What a killed one left, or a link of that name, is removed and never written to.
class PackPart {
 public:
  /// Throws RunError where another process holds it. A file system without locks is done without.
  explicit PackPart(const std::filesystem::path& file);
  ~PackPart();
  PackPart(const PackPart&) = delete;
  PackPart& operator=(const PackPart&) = delete;

  const Folder& folder() const { return *folder_; }
  const std::string& name() const { return name_; }
  std::string part() const { return name_ + ".part"; }
  /// Another descriptor of the same open file, for who writes it.
  int descriptor() const;

 private:
  bool try_once();

  std::optional<Folder> folder_;
  std::string name_;
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

  PackPart part_;
  AtomicFile file_;
  std::string index_;
  SplitIndex splits_[2];
  std::uint64_t offset_ = 0;
};

}  // namespace glidepath
