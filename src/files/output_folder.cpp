// src/files/output_folder.cpp - making the folder that a command writes to.
#include "files/output_folder.h"

#include <system_error>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

void make_output_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return;
  const bool is_wrong_path = error == std::errc::not_a_directory || error == std::errc::file_exists ||
                             error == std::errc::filename_too_long;
  const std::string message =
      fmt::format("{}: cannot make this folder: {}; give another --out", folder.string(), error.message());
  if (is_wrong_path) throw InputError(message);
  throw RunError(message);
}

}  // namespace glidepath
