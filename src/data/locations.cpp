// src/data/locations.cpp - where data sets are looked for and kept.
#include "data/locations.h"

#include <cstdlib>

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// Empty when the variable is unset or empty.
fs::path folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? fs::path() : fs::path(value);
}

fs::path cache_folder() {
  const fs::path cache = folder_of("XDG_CACHE_HOME");
  if (!cache.empty()) return cache / "glidepath" / "data";
  const fs::path home = folder_of("HOME");
  return (home.empty() ? fs::path(".") : home) / ".cache" / "glidepath" / "data";
}

}  // namespace

std::vector<fs::path> data_roots(const fs::path& data_dir) {
  if (!data_dir.empty()) return {data_dir};
  const fs::path named = folder_of("GLIDEPATH_DATA");
  if (!named.empty()) return {named, cache_folder()};
  return {cache_folder()};
}

fs::path download_root(const fs::path& data_dir) { return data_roots(data_dir).front(); }

}  // namespace glidepath
