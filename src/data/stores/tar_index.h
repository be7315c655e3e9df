// src/data/stores/tar_index.h - where the files inside a tar lie, so that they are read in place.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "data/stores/input_file.h"

namespace glidepath {

/// A regular file inside a tar, or a link to one: its bytes are at [offset, offset + size) of the file that
/// holds the tar.
struct TarEntry {
  std::string name;  ///< path as the tar gives it
  std::uint64_t offset = 0, size = 0;
  bool is_link = false;
};

/// A tar: all of a file, or a part of it when it lies inside another tar.
struct TarRange {
  std::string place;  ///< what messages call it: "train.tar: n01440764.tar"
  std::uint64_t begin = 0, size = 0;
};

TarRange whole_file(const InputFile& file);

/// Calls `found` for every regular file of an uncompressed tar (ustar, GNU, pax) and for every hard and
/// symbolic link to one, in the tar's order; `lost`, where given, gets the names of links that lead out of
/// the tar or to nothing. Data are jumped over, not read. Directories and what devices there are are passed
/// by. Throws InputError naming place and byte for something else than a tar, a damaged header, a tar that
/// ends early or without its end mark, and sparse files, whose bytes do not lie in one piece; ReadFailed
/// where the disk fails.
void index_tar(const InputFile& file, const TarRange& range, const std::function<void(TarEntry)>& found,
               const std::function<void(const std::string& name)>& lost = {});

}  // namespace glidepath
