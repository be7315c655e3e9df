// src/data/stores/unpacked_tar.h - compressed tars: an image in one cannot be reached without all before it.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "data/stores/input_file.h"

namespace glidepath {

/// Told in one line what takes a while.
using TellProgress = std::function<void(const std::string&)>;

/// Opens a tar to read in place. A compressed one, whatever it is called, is unpacked once into the cache's
/// folder tar-unpacked/ and read there; the copy counts as long as path, size and time of the last change are
/// those it was made of. Throws InputError naming a file that is damaged or compressed in a way that this
/// libarchive does not know; RunError, with what to do, where the cache has no room.
std::unique_ptr<InputFile> open_tar(const std::filesystem::path& path, const TellProgress& tell);

/// Whether a name ends as tars do: .tar, .tar.gz, .tgz, ...
bool is_tar_name(const std::string& name);

/// The name without what says that it is compressed: "train-0.tgz" as "train-0.tar".
std::string plain_tar_name(const std::string& name);

}  // namespace glidepath
