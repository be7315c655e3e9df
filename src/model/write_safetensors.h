// src/model/write_safetensors.h - weights into a file that is open already.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include "files/atomic_file.h"
#include "glidepath/safetensors.h"

namespace glidepath {

/// Like save_safetensors(), which says more; commits `out`. `file` is what messages call it.
void write_safetensors(AtomicFile& out, const std::filesystem::path& file, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata, Checksum checksum);

}  // namespace glidepath
