// src/data/archives/unpack.cpp - the wanted files out of an archive.
#include "data/archives/unpack.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "data/archives/archive_reader.h"
#include "data/fetch/staging.h"

namespace fs = std::filesystem;

namespace glidepath {

void unpack(const fs::path& archive, const std::vector<DataFile>& wanted, const Folder& folder,
            FetchContext& context) {
  // An archive holds the whole set, of which a single file may be wanted.
  constexpr std::int64_t kTimes = 20, kBeside = std::int64_t{64} << 20;
  std::int64_t most = kBeside;
  for (const DataFile& file : wanted) most += kTimes * file.bytes;
  ArchiveReader reader(archive, most);
  std::error_code error;
  context.begin("unpacking", archive.stem().string(),
                static_cast<std::int64_t>(fs::file_size(archive, error)));
  std::vector<char> block(1U << 20);
  std::set<std::string> found;
  while (const auto name = reader.next()) {
    const auto file =
        std::find_if(wanted.begin(), wanted.end(), [&](const DataFile& one) { return one.name == *name; });
    if (file == wanted.end() || found.count(*name) != 0) continue;
    StagedFile staged(folder, *file);
    while (const std::size_t bytes = reader.read(block.data(), block.size())) {
      staged.write(block.data(), bytes);
      context.advance(reader.position());
    }
    staged.finish();
    found.insert(*name);
  }
  for (const DataFile& file : wanted) {
    if (found.count(file.name) == 0) {
      throw SourceFailed{fmt::format("{}: holds no {}", archive.filename().string(), file.name)};
    }
  }
}

}  // namespace glidepath
