// src/data/archives/archive_reader.cpp - tar archives, by libarchive.
#include "data/archives/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <fmt/format.h>

#include "data/archives/archive_filters.h"
#include "data/fetch/fetch_context.h"
#include "files/content_kind.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

SourceFailed not_whole(const fs::path& path, const std::string& reason) {
  const std::string kind = content_kind_of(path);
  const bool is_packed = kind.rfind("compressed by", 0) == 0 || kind == "a tar archive";
  return {fmt::format("{}: not a whole archive: {}", path.filename().string(),
                      kind.empty() || is_packed ? reason : "it is " + kind)};
}

}  // namespace

ArchiveReader::ArchiveReader(const fs::path& path, std::int64_t most_bytes)
    : path_(path), most_bytes_(most_bytes), archive_(archive_read_new()) {
  if (archive_ == nullptr) throw RunError("libarchive cannot start");
  read_compressed(archive_);
  archive_read_support_format_tar(archive_);
  constexpr std::size_t kBlock = 1U << 18;
  if (archive_read_open_filename(archive_, path.c_str(), kBlock) != ARCHIVE_OK) {
    const char* text = archive_error_string(archive_);
    const std::string reason = text != nullptr ? text : "unreadable";
    archive_read_free(archive_);
    throw not_whole(path_, reason);
  }
}

ArchiveReader::~ArchiveReader() { archive_read_free(archive_); }

std::optional<std::string> ArchiveReader::next() {
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_, &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail();
    // What is passed by is unpacked all the same.
    const std::int64_t before = archive_filter_bytes(archive_, 0), size = archive_entry_size(entry);
    if (size < 0 || before > most_bytes_ || size > most_bytes_ - before)
      throw not_whole(path_, fmt::format("it unpacks to more than {} bytes", most_bytes_));
    const char* name = archive_entry_pathname(entry);
    const bool is_plain =
        archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
    if (name != nullptr && is_plain) return fs::path(name).filename().string();
  }
}

std::size_t ArchiveReader::read(char* to, std::size_t bytes) {
  const la_ssize_t count = archive_read_data(archive_, to, bytes);
  if (count < 0) fail();
  return static_cast<std::size_t>(count);
}

std::int64_t ArchiveReader::position() const { return archive_filter_bytes(archive_, -1); }

void ArchiveReader::fail() const {
  const char* reason = archive_error_string(archive_);
  throw not_whole(path_, reason != nullptr ? reason : "unreadable");
}

}  // namespace glidepath
