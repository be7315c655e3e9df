// src/files/content_kind.h - what a file really is, whatever it is called.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace glidepath {

/// How much of a file's beginning content_kind() looks at.
constexpr std::size_t kContentKindBytes = 1024;

/// What bytes are, from how a file begins, with what to do about it where something is known: "a git-lfs
/// pointer; get the file itself with git lfs pull", "an HTML page; ...", "a GIF image", "a zip archive".
/// Empty where it is nothing that is known.
std::string content_kind(const void* data, std::size_t bytes);

/// Likewise of a file; empty where it cannot be read.
std::string content_kind_of(const std::filesystem::path& file);

}  // namespace glidepath
