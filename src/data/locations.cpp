// src/data/locations.cpp - where data sets are looked for and kept.
#include "data/locations.h"

#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// Empty when the variable is unset or empty.
fs::path folder_of(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? fs::path() : fs::path(value);
}

bool holds(const fs::path& folder, const DataFile& file) {
  std::error_code error;
  return fs::exists(folder / file.name, error) ||
         (file.or_gz && fs::exists(folder / (file.name + ".gz"), error));
}

}  // namespace

fs::path cache_folder() {
  const fs::path cache = folder_of("XDG_CACHE_HOME");
  if (!cache.empty()) return cache / "glidepath" / "data";
  const fs::path home = folder_of("HOME");
  return (home.empty() ? fs::path(".") : home) / ".cache" / "glidepath" / "data";
}

std::vector<fs::path> data_roots(const fs::path& data_dir) {
  if (!data_dir.empty()) return {data_dir};
  const fs::path named = folder_of("GLIDEPATH_DATA");
  if (!named.empty()) return {named, cache_folder()};
  return {cache_folder()};
}

fs::path download_root(const fs::path& data_dir) { return data_roots(data_dir).front(); }

std::optional<fs::path> find_folder(const DataSource& source, const fs::path& data_dir) {
  std::vector<fs::path> candidates;
  for (const fs::path& root : data_roots(data_dir)) {
    for (const std::string& folder : source.folders) candidates.push_back(root / folder);
    candidates.push_back(root);
  }
  for (const fs::path& folder : candidates) {
    if (holds(folder, source.files.front())) return folder;
  }
  for (const fs::path& folder : candidates) {
    for (const DataFile& file : source.files) {
      if (holds(folder, file)) return folder;
    }
  }
  return std::nullopt;
}

fs::path need_folder(const DataSource& source, const fs::path& data_dir) {
  if (const auto folder = find_folder(source, data_dir)) return *folder;
  std::vector<std::string> tried;
  for (const fs::path& root : data_roots(data_dir)) tried.push_back(root.string());
  const std::string where = data_dir.empty() ? "" : fmt::format(" --data-dir {}", data_dir.string());
  throw InputError(fmt::format(
      "data \"{}\": {} is not in {}; get it with \"glidepath data fetch {}{}\", or name its folder by "
      "--data-dir or GLIDEPATH_DATA",
      source.name, source.files.front().name, fmt::join(tried, " or "), source.name, where));
}

}  // namespace glidepath
