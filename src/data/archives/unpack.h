// src/data/archives/unpack.h - the wanted files out of an archive.
#pragma once
#include <filesystem>
#include <vector>

#include "data/fetch/fetch_context.h"
#include "files/folder.h"
#include "glidepath/fetch.h"

namespace glidepath {

/// Writes the wanted files, whatever folders the archive has them in, to `folder` under their own names, each
/// checked and on the disk. Nothing else is written: paths, links and sizes that the archive claims have no
/// effect. Throws SourceFailed when one is wrong or not in it, RunError when the disk fails, Interrupted when
/// stopped.
void unpack(const std::filesystem::path& archive, const std::vector<DataFile>& wanted, const Folder& folder,
            FetchContext& context);

}  // namespace glidepath
