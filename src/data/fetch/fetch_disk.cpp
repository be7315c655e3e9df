// src/data/fetch/fetch_disk.cpp - a data set from a file or folder of the user's, without a network.
#include <optional>

#include <fmt/format.h>

#include "data/archives/unpack.h"
#include "data/fetch/check_file.h"
#include "data/fetch/fetch_steps.h"
#include "data/fetch/part_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

std::optional<fs::path> file_below(const fs::path& root, const DataSource& source, const DataFile& file) {
  std::error_code error;
  std::vector<fs::path> folders{root};
  for (const std::string& folder : source.folders) folders.push_back(root / folder);
  for (const fs::path& folder : folders) {
    const fs::path path = file_in(folder, file);
    if (fs::is_regular_file(path, error)) return path;
  }
  return std::nullopt;
}

std::optional<fs::path> archive_in(const fs::path& root, const DataSource& source) {
  std::error_code error;
  for (const DataDownload& download : source.downloads) {
    const bool alone = source.downloads.size() == 1;
    if (alone && fs::is_regular_file(root / download.name, error)) return root / download.name;
  }
  return std::nullopt;
}

/// Copies the content, .gz or not, as it is checked.
void copy(const fs::path& path, const DataFile& file, const FetchPlaces& places, FetchContext& context) {
  context.begin("checking", path.filename().string(), file.bytes);
  PartFile staged(places.staged(), file.name);
  staged.clear();
  const FileCheck check = check_file(
      path, file, context, 0, [&](const char* data, std::size_t bytes) { staged.append(data, bytes); });
  if (check.state != FileCheck::State::kWhole) {
    throw InputError(fmt::format("{}: {}", path.string(), check.problem));
  }
  staged.sync();
}

void take_archive(const fs::path& archive, const std::vector<DataFile>& wanted, const FetchPlaces& places,
                  FetchContext& context) {
  try {
    unpack(archive, wanted, places.staged(), context);
  } catch (const SourceFailed& failed) {
    throw InputError(fmt::format("--from \"{}\": {}", archive.string(), failed.reason));
  }
}

}  // namespace

void fetch_from_disk(const DataSource& source, const std::vector<DataFile>& wanted, const FetchPlaces& places,
                     FetchContext& context) {
  const fs::path& from = context.options.from;
  std::error_code error;
  if (fs::is_regular_file(from, error)) {
    if (source.downloads.size() > 1) {
      throw InputError(fmt::format("--from \"{}\": {} has {} files; name the folder that holds them",
                                   from.string(), source.name, source.files.size()));
    }
    take_archive(from, wanted, places, context);
  } else if (fs::is_directory(from, error)) {
    std::vector<fs::path> found;
    std::string missing;
    for (const DataFile& file : wanted) {
      const auto path = file_below(from, source, file);
      if (path) {
        found.push_back(*path);
      } else if (missing.empty()) {
        missing = file.name;
      }
    }
    const auto archive = archive_in(from, source);
    if (missing.empty()) {
      for (std::size_t i = 0; i < wanted.size(); ++i) copy(found[i], wanted[i], places, context);
    } else if (archive) {
      take_archive(*archive, wanted, places, context);
    } else {
      const bool alone = source.downloads.size() == 1;
      throw InputError(fmt::format(
          "--from \"{}\": holds {}no {}", from.string(),
          alone ? "neither " + source.downloads.front().name + " nor all files; there is " : "", missing));
    }
  } else {
    throw InputError(fmt::format("--from \"{}\": no such file or folder", from.string()));
  }
  for (const DataFile& file : wanted) place(file, places);
}

}  // namespace glidepath
