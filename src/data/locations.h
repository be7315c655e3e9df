// src/data/locations.h - where data sets are looked for and kept.
#pragma once
#include <filesystem>
#include <vector>

namespace glidepath {

/// Folders in the order of dataset.h: `data_dir` alone when given, else $GLIDEPATH_DATA, then the cache.
std::vector<std::filesystem::path> data_roots(const std::filesystem::path& data_dir);

/// Where a fetched data set goes: the first of data_roots().
std::filesystem::path download_root(const std::filesystem::path& data_dir);

}  // namespace glidepath
