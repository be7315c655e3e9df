// src/data/stores/tar_index.cpp - where the files inside a tar lie, by libarchive.
#include "data/stores/tar_index.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "files/content_kind.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::uint64_t kBlock = 512;  // tar's unit

/// What libarchive reads the range through. Between two headers it calls skip, so data are not read.
class RangeReader {
 public:
  RangeReader(const InputFile& file, const TarRange& range) : file_(file), range_(range) {}

  std::uint64_t position() const { return position_; }
  /// What the disk said; it must not be taken for damage.
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

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
      failure_ = std::current_exception();
      archive_set_error(handle, -1, "%s", error.what());
      return -1;
    }
  }

  const InputFile& file_;
  const TarRange& range_;
  std::uint64_t position_ = 0;
  std::exception_ptr failure_;
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

/// A hard or symbolic link; the target of a hard one counts from the tar's root.
struct Link {
  std::string name, target;
  bool is_hard;
};

/// The plain reason where a file that should be a tar is something that is known.
[[noreturn]] void refuse_beginning(const InputFile& file, const TarRange& range, const std::string& reason) {
  std::string begin(std::min<std::uint64_t>(range.size, kContentKindBytes), '\0');
  begin.resize(file.read_some(begin.data(), begin.size(), range.begin));
  const std::string kind = content_kind(begin.data(), begin.size());
  refuse(range, range.begin,
         kind.empty() || kind == "a tar archive" ? reason : fmt::format("is no tar, but {}", kind));
}

void scan(const InputFile& file, const TarRange& range, const std::function<void(TarEntry)>& found,
          const std::function<void(const Link&)>& linked) {
  std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  if (!reader) throw RunError("libarchive cannot start");
  archive_read_support_format_tar(reader.get());
  RangeReader source(file, range);
  if (range.size == 0) refuse(range, 0, "an empty file is no tar");
  if (archive_read_open2(reader.get(), &source, nullptr, RangeReader::read, RangeReader::skip, nullptr) !=
      ARCHIVE_OK) {
    source.rethrow_failure();
    refuse_beginning(file, range, archive_error_string(reader.get()));
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
    source.rethrow_failure();
    // Negative after a failure: how far it was read is the place then.
    const la_int64_t position = archive_read_header_position(reader.get());
    const std::uint64_t header = position < 0 ? source.position() : static_cast<std::uint64_t>(position);
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF) {
      const char* reason = archive_error_string(reader.get());
      const std::string told = reason == nullptr ? "is no tar header" : reason;
      if (last_header == 0 && !last) refuse_beginning(file, range, told);
      refuse(range, range.begin + header, told);
    }
    report(header);
    if (status == ARCHIVE_EOF) {
      if (header + kBlock > range.size)
        refuse(range, range.begin + range.size, "ends without a tar's end mark");
      return;
    }
    last_header = header;
    const std::string name = name_of(entry);
    const char* hard = archive_entry_hardlink(entry);
    const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry)));
    if (hard != nullptr && size == 0) {  // pax has hard links that carry their data, too
      linked({name, hard, true});
      continue;
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) {
      const char* target = archive_entry_symlink(entry);
      if (target != nullptr) linked({name, target, false});
      continue;
    }
    if (archive_entry_filetype(entry) != AE_IFREG && hard == nullptr) continue;
    if (archive_entry_sparse_count(entry) > 0) {
      throw InputError(
          fmt::format("{}: at byte {}: {} is stored as a sparse file, which cannot be read in "
                      "place; pack without --sparse",
                      range.place, range.begin + header, name));
    }
    last = TarEntry{name, 0, size, false};
  }
}

/// "./a//b/../c" as "a/c"; empty where it leads out of the tar.
std::string plain_path(const std::string& path) {
  const std::filesystem::path plain = std::filesystem::path(path).lexically_normal();
  if (plain.is_absolute() || (plain.begin() != plain.end() && *plain.begin() == "..")) return {};
  return plain.string();
}

/// Where each name of a tar leads.
class Places {
 public:
  Places(const InputFile& file, const TarRange& range) {
    scan(
        file, range, [&](const TarEntry& entry) { files_[plain_path(entry.name)] = entry; },
        [&](const Link& link) { links_[plain_path(link.name)] = target_of(link); });
  }

  const TarEntry* behind(const Link& link) const {
    constexpr int kMostLinks = 40;  // as many as the system follows
    std::string target = target_of(link);
    for (int i = 0; i < kMostLinks && !target.empty(); ++i) {
      if (const auto file = files_.find(target); file != files_.end()) return &file->second;
      const auto next = links_.find(target);
      if (next == links_.end()) return nullptr;
      target = next->second;
    }
    return nullptr;
  }

 private:
  static std::string target_of(const Link& link) {
    if (link.is_hard) return plain_path(link.target);
    if (!link.target.empty() && link.target.front() == '/') return {};
    return plain_path((std::filesystem::path(link.name).parent_path() / link.target).string());
  }

  std::unordered_map<std::string, TarEntry> files_;
  std::unordered_map<std::string, std::string> links_;
};

}  // namespace

TarRange whole_file(const InputFile& file) { return {file.path().string(), 0, file.size()}; }

void index_tar(const InputFile& file, const TarRange& range, const std::function<void(TarEntry)>& found,
               const std::function<void(const std::string& name)>& lost) {
  std::optional<Places> places;  // few tars have links, and a map of a million names is large
  scan(file, range, found, [&](const Link& link) {
    if (!places) places.emplace(file, range);
    const TarEntry* target = places->behind(link);
    if (target != nullptr) {
      found({link.name, target->offset, target->size, true});
    } else if (lost) {
      lost(link.name);
    }
  });
}

}  // namespace glidepath
