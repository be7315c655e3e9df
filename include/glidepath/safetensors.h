// include/glidepath/safetensors.h - tensors in and out of the safetensors format (no code is ever run).
#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include <torch/types.h>

namespace glidepath {

using TensorMap = std::map<std::string, torch::Tensor>;

/// Whether a file carries the SHA-256 of its whole content, as "sha256" of its "__metadata__" (the digest of
/// the file with 64 zeros in the digest's place). Other readers of the format take it for metadata.
enum class Checksum { kNone, kSha256 };

/// Writes atomically (temporary name, fsync, rename). Metadata goes into "__metadata__".
/// Throws RunError naming the file when it cannot be written.
void save_safetensors(const std::filesystem::path& file, const TensorMap& tensors,
                      const std::map<std::string, std::string>& metadata = {},
                      Checksum checksum = Checksum::kNone);

/// Reads every tensor (contiguous, CPU). Checks the header's size, offsets, shapes and dtypes against the
/// file before allocating; with kSha256, also that every bit is as it was written. A file whose tensors have
/// more than `most_bytes` is refused before any is read: one with a hole in it may claim more than any memory
/// holds. Throws InputError naming the file and what is wrong.
TensorMap load_safetensors(const std::filesystem::path& file,
                           std::map<std::string, std::string>* metadata = nullptr,
                           Checksum checksum = Checksum::kNone,
                           std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());

/// Bytes of all of them.
std::uint64_t bytes_of(const TensorMap& tensors);

}  // namespace glidepath
