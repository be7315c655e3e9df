// src/cli/data_images.h - `glidepath data pack`, and `data verify` for images.
#pragma once
#include <string>

#include <CLI/CLI.hpp>

namespace glidepath::cli {

/// The path that a name of images means: "imagefolder:/data/photos", or a pack's "photos.gpk"; empty for
/// other names.
std::string images_path(const std::string& name);

/// Checks every image and prints what is wrong; throws InputError when something is. A relative path is taken
/// from `data_dir` where that is not empty.
void verify_images(const std::string& name, const std::string& data_dir, bool quiet, bool json);

void add_pack(CLI::App& command);

}  // namespace glidepath::cli
