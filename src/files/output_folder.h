// src/files/output_folder.h - the folder that a command writes to.
#pragma once
#include <filesystem>

namespace glidepath {

/// Makes the folder and those above it; one that is there already is fine. Throws InputError where the path
/// cannot be a folder (a file is in the way, the name is too long), RunError where the system refuses.
void make_output_folder(const std::filesystem::path& folder);

}  // namespace glidepath
