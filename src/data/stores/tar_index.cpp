// src/data/stores/tar_index.cpp - where the files inside a tar lie, by libarchive.
#include "data/stores/tar_index.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::uint64_t kBlock = 512;  // tar's unit

/// What libarchive reads the range through. Between two headers it calls skip, so data are not read.
class RangeReader {
 public:
  RangeReader(const InputFile& file, const TarRange& range) : file_(file), range_(range) {}

  std::uint64_t position() const { return position_; }

  static la_ssize_t read(archive* handle, void* self, const void** buffer) {
    return static_cast<RangeReader*>(self)->read_next(handle, buffer);
  }
  static la_int64_t skip(archive*, void* self, la_int64_t bytes) {
    auto& reader = *static_cast<RangeReader*>(self);
    const std::uint64_t left = reader.range_.size - reader.position_;
    const std::uint64_t step = std::min(left, static_cast<std::uint64_t>(bytes));
    reader.position_ += step;
    return static_cast<la_int64_t>(step);
  }

 private:
  la_ssize_t read_next(archive* handle, const void** buffer) {
    try {
      const std::size_t bytes = std::min<std::uint64_t>(buffer_.size(), range_.size - position_);
      const std::size_t count = file_.read_some(buffer_.data(), bytes, range_.begin + position_);
      position_ += count;
      *buffer = buffer_.data();
      return static_cast<la_ssize_t>(count);
    } catch (const Error& error) {  // may not pass through libarchive, which is C
      archive_set_error(handle, -1, "%s", error.what());
      return -1;
    }
  }

  const InputFile& file_;
  const TarRange& range_;
  std::uint64_t position_ = 0;
  // A few headers, and little of the image that follows one.
  std::array<char, 16 * kBlock> buffer_{};
};

[[noreturn]] void refuse(const TarRange& range, std::uint64_t position, const std::string& what) {
  throw InputError(fmt::format("{}: at byte {}: {}; copy or fetch it again", range.place, position, what));
}

std::string name_of(archive_entry* entry) {
  // The first is null for a name in UTF-8 when the locale has no such letters.
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr) name = archive_entry_pathname_utf8(entry);
  return name == nullptr ? "" : name;
}

}  // namespace

TarRange whole_file(const InputFile& file) { return {file.path().string(), 0, file.size()}; }

void index_tar(const InputFile& file, const TarRange& range, const std::function<void(TarEntry)>& found) {
  std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  if (!reader) throw RunError("libarchive cannot start");
  archive_read_support_format_tar(reader.get());
  RangeReader source(file, range);
  if (range.size == 0) refuse(range, 0, "an empty file is no tar");
  if (archive_read_open2(reader.get(), &source, nullptr, RangeReader::read, RangeReader::skip, nullptr) !=
      ARCHIVE_OK) {
    refuse(range, 0, archive_error_string(reader.get()));
  }

  // A file's data end, padded to whole blocks, where the next header begins.
  std::optional<TarEntry> last;
  std::uint64_t last_header = 0;
  const auto report = [&](std::uint64_t next_header) {
    if (!last) return;
    const std::uint64_t padded = last->size / kBlock * kBlock + (last->size % kBlock != 0 ? kBlock : 0);
    if (padded + kBlock > next_header - last_header) refuse(range, last_header, "is no plain file header");
    last->offset = range.begin + next_header - padded;
    found(std::move(*last));
    last.reset();
  };
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    // Negative after a failure: how far it was read is the place then.
    const la_int64_t position = archive_read_header_position(reader.get());
    const std::uint64_t header = position < 0 ? source.position() : static_cast<std::uint64_t>(position);
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF) {
      const char* reason = archive_error_string(reader.get());
      refuse(range, range.begin + header, reason == nullptr ? "is no tar header" : reason);
    }
    report(header);
    if (status == ARCHIVE_EOF) {
      if (header + kBlock > range.size)
        refuse(range, range.begin + range.size, "ends without a tar's end mark");
      return;
    }
    last_header = header;
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) continue;
    const std::string name = name_of(entry);
    if (archive_entry_sparse_count(entry) > 0) {
      throw InputError(
          fmt::format("{}: at byte {}: {} is stored as a sparse file, which cannot be read in "
                      "place; pack without --sparse",
                      range.place, range.begin + header, name));
    }
    last = TarEntry{name, 0, static_cast<std::uint64_t>(archive_entry_size(entry))};
  }
}

}  // namespace glidepath
