// src/data/fetch/staging.cpp - a file of the data set, written aside and checked.
#include "data/fetch/staging.h"

#include <fmt/format.h>

namespace glidepath {

StagedFile::StagedFile(const Folder& folder, const DataFile& file)
    : file_(file), part_(folder, file.name), check_(file) {
  part_.clear();
}

void StagedFile::write(const char* data, std::size_t bytes) {
  check_.add(data, bytes);
  if (check_.bytes() > file_.bytes) throw SourceFailed{fmt::format("{}: {}", file_.name, check_.problem())};
  part_.append(data, bytes);
}

void StagedFile::finish() {
  const std::string problem = check_.problem();
  if (!problem.empty()) throw SourceFailed{fmt::format("{}: {}", file_.name, problem)};
  part_.sync();
}

}  // namespace glidepath
