// src/data/fetch/locations.cpp - where data sets are looked for and kept.
#include "data/fetch/locations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/safe_text.h"
#include "files/home.h"
#include "files/read_failed.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

bool holds(const fs::path& folder, const DataFile& file) {
  std::error_code error;
  const bool is_there = fs::exists(folder / file.name, error) ||
                        (file.or_gz && fs::exists(folder / (file.name + ".gz"), error));
  if (!is_there) throw_if_in_trouble(folder / file.name, error);
  return is_there;
}

}  // namespace

fs::path cache_folder() {
  const fs::path cache = folder_named_by("XDG_CACHE_HOME");
  if (!cache.empty()) return cache / "glidepath" / "data";
  const fs::path home = home_folder();
  return home.empty() ? home : home / ".cache" / "glidepath" / "data";
}

std::vector<fs::path> data_roots(const fs::path& data_dir) {
  if (!data_dir.empty()) return {data_dir};
  std::vector<fs::path> roots;
  for (const fs::path& root : {folder_named_by("GLIDEPATH_DATA"), cache_folder()}) {
    if (!root.empty()) roots.push_back(root);
  }
  if (!roots.empty()) return roots;
  throw InputError(
      "data: neither GLIDEPATH_DATA, XDG_CACHE_HOME nor HOME says where data sets are kept; name a folder by "
      "--data-dir or GLIDEPATH_DATA");
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
  const std::string where =
      data_dir.empty() ? "" : fmt::format(" --data-dir {}", shell_word(data_dir.string()));
  throw InputError(fmt::format(
      "data \"{}\": {} is not in {}; get it with \"glidepath data fetch {}{}\", or name its folder by "
      "--data-dir or GLIDEPATH_DATA",
      source.name, source.files.front().name, fmt::join(tried, " or "), source.name, where));
}

}  // namespace glidepath
