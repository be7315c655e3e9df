// src/data/fetch/locations.h - where data sets are looked for and kept.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/fetch.h"

namespace glidepath {

/// Folders in the order of dataset.h: `data_dir` alone when given, else $GLIDEPATH_DATA, then the cache.
/// Throws InputError where there is none of them.
std::vector<std::filesystem::path> data_roots(const std::filesystem::path& data_dir);

/// Where data sets are kept unless something else is said: $XDG_CACHE_HOME or ~/.cache, then glidepath/data.
/// Empty where neither the environment nor the system says where the user's home is.
std::filesystem::path cache_folder();

/// Where a fetched data set goes: the first of data_roots().
std::filesystem::path download_root(const std::filesystem::path& data_dir);

/// The folder that holds the data set: in each root its own folders, then the root itself. One with the first
/// file (plain or .gz) is preferred to one with any file.
std::optional<std::filesystem::path> find_folder(const DataSource& source,
                                                 const std::filesystem::path& data_dir);

/// The same; throws InputError that says where it was looked for and what to do.
std::filesystem::path need_folder(const DataSource& source, const std::filesystem::path& data_dir);

}  // namespace glidepath
