// src/data/packs/pack_store.h - a pack of images (pack_format.h), mapped into memory.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/images/image_store.h"

namespace glidepath {

/// Whether the file begins as a pack does.
bool is_pack(const std::filesystem::path& path);

/// Opens a pack. Its index is checked as a whole, by checksum, and every number in it; an image by its
/// checksum when it is read first. Images are not copied where that can be helped: read() points into the
/// mapped file. A pack that is cut off, or whose disk fails, gives an error. Throws InputError naming file
/// and byte for a pack that is cut off, damaged, or of another version.
ImageCollection open_pack(const std::filesystem::path& path, const ImageChoice& choice = {});

struct PackInfo {
  std::string settings;  ///< how its images were made: "shorter side 256, JPEG quality 90"
  std::uint64_t file_bytes = 0;
  std::int64_t rgb = 0, files = 0;  ///< how many images are plain pixels, and how many files
};
PackInfo read_pack_info(const std::filesystem::path& path);

}  // namespace glidepath
