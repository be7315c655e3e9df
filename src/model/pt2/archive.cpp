// src/model/pt2/archive.cpp - zip archives whose entries lie in them as they are.
#include "model/pt2/archive.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include <fmt/format.h>
#include <zlib.h>

#include "core/little_endian.h"
#include "core/safe_text.h"
#include "files/content_kind.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath::pt2 {
namespace {

constexpr std::uint64_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kHeaderBytes = 30,
                        kEntryBytes = 46;
constexpr std::uint64_t kMostComment = 65535;
constexpr std::uint64_t kMostEntries = 1'000'000;
constexpr std::uint64_t kIn64Bits = 0xffffffff;  // stands for a number that lies in the extra field

bool begins(std::string_view bytes, std::string_view signature) {
  return bytes.substr(0, signature.size()) == signature;
}

/// The numbers of 64 bits of an entry of the directory, in their order; empty where there are none.
std::string_view numbers64(std::string_view extra) {
  while (extra.size() >= 4) {
    const std::uint64_t kind = little_endian(extra, 0, 2), bytes = little_endian(extra, 2, 2);
    if (bytes > extra.size() - 4) return {};
    if (kind == 1) return extra.substr(4, bytes);
    extra.remove_prefix(4 + bytes);
  }
  return {};
}

}  // namespace

Archive::Archive(const fs::path& file) : file_(file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    throw InputError(
        fmt::format("{}: no such file; give a program that torch.export.save() wrote", file.string()));
  stream_.open(file, std::ios::binary | std::ios::ate);
  const std::streamoff end = stream_ ? static_cast<std::streamoff>(stream_.tellg()) : -1;
  if (end < 0)
    throw InputError(
        fmt::format("{}: cannot be read; give a program that torch.export.save() wrote", file.string()));
  file_bytes_ = static_cast<std::uint64_t>(end);
  read_directory();
}

void Archive::refuse(const std::string& what) const {
  throw InputError(
      fmt::format("{}: {}; it is no whole program of torch.export.save()", file_.string(), what));
}

std::vector<std::string> Archive::names() const {
  std::vector<std::string> names;
  for (const auto& item : entries_) names.push_back(item.first);
  return names;
}

const Archive::Entry& Archive::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(fmt::format("has no entry \"{}\"", terminal_text(name)));
  return found->second;
}

std::string Archive::bytes_at(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > file_bytes_ || bytes > file_bytes_ - offset)
    refuse(fmt::format("ends after {} bytes, where more should be", file_bytes_));
  std::string text(bytes, '\0');
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  if (!stream_.read(text.data(), static_cast<std::streamsize>(bytes))) refuse("cannot be read to its end");
  return text;
}

Archive::Directory Archive::find_directory() const {
  const std::uint64_t tail_bytes = std::min(file_bytes_, kEndBytes + kMostComment);
  const std::string tail = bytes_at(file_bytes_ - tail_bytes, tail_bytes);
  std::size_t at = tail.rfind("PK\x05\x06");
  while (at != std::string::npos &&
         (tail.size() - at < kEndBytes || little_endian(tail, at + 20, 2) != tail.size() - at - kEndBytes))
    at = at == 0 ? std::string::npos : tail.rfind("PK\x05\x06", at - 1);
  if (at == std::string::npos) {
    const std::string kind = content_kind_of(file_);
    if (kind.empty() || kind == "a zip archive") refuse("has no directory of a zip archive at its end");
    throw InputError(fmt::format("{}: is no program of torch.export.save(), but {}", file_.string(), kind));
  }
  Directory found{little_endian(tail, at + 16, 4), little_endian(tail, at + 12, 4),
                  little_endian(tail, at + 10, 2)};
  const std::uint64_t end = file_bytes_ - tail_bytes + at;
  if (end >= kLocatorBytes) {
    const std::string locator = bytes_at(end - kLocatorBytes, kLocatorBytes);
    if (begins(locator, "PK\x06\x07")) {
      const std::string end64 = bytes_at(little_endian(locator, 8, 8), kEnd64Bytes);
      if (!begins(end64, "PK\x06\x06")) refuse("its directory is not where it should be");
      found = {little_endian(end64, 48, 8), little_endian(end64, 40, 8), little_endian(end64, 32, 8)};
    }
  }
  if (found.begin > end || found.bytes > end - found.begin || found.entries > kMostEntries)
    refuse(fmt::format("its directory of {} entries is to have {} bytes from {} on, of {}", found.entries,
                       found.bytes, found.begin, file_bytes_));
  return found;
}

void Archive::read_directory() {
  const Directory directory = find_directory();
  entries_end_ = directory.begin;
  const std::string text = bytes_at(directory.begin, directory.bytes);
  std::string_view rest = text;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (rest.size() < kEntryBytes || !begins(rest, "PK\x01\x02"))
      refuse(fmt::format("its directory ends after {} of {} entries", i, directory.entries));
    const std::uint64_t name_bytes = little_endian(rest, 28, 2), extra_bytes = little_endian(rest, 30, 2),
                        comment_bytes = little_endian(rest, 32, 2);
    if (rest.size() - kEntryBytes < name_bytes + extra_bytes + comment_bytes)
      refuse(fmt::format("its directory ends within entry {} of {}", i + 1, directory.entries));
    const std::string name(rest.substr(kEntryBytes, name_bytes));
    Entry entry;
    entry.flags = static_cast<unsigned>(little_endian(rest, 8, 2));
    entry.method = static_cast<unsigned>(little_endian(rest, 10, 2));
    entry.checksum = static_cast<std::uint32_t>(little_endian(rest, 16, 4));
    entry.packed = little_endian(rest, 20, 4);
    entry.bytes = little_endian(rest, 24, 4);
    entry.header = little_endian(rest, 42, 4);
    std::string_view wide = numbers64(rest.substr(kEntryBytes + name_bytes, extra_bytes));
    for (std::uint64_t* each : {&entry.bytes, &entry.packed, &entry.header}) {
      if (*each != kIn64Bits) continue;
      if (wide.size() < 8) refuse(fmt::format("entry \"{}\" has no size", terminal_text(name)));
      *each = little_endian(wide, 0, 8);
      wide.remove_prefix(8);
    }
    if (!entries_.emplace(name, entry).second)
      refuse(fmt::format("has two entries \"{}\"", terminal_text(name)));
    rest.remove_prefix(kEntryBytes + name_bytes + extra_bytes + comment_bytes);
  }
}

std::uint64_t Archive::begin_of(const std::string& name, const Entry& entry) const {
  const auto fail = [&](const std::string& what) {
    refuse(fmt::format("entry \"{}\" {}", terminal_text(name), what));
  };
  if (entry.method != 0 || entry.packed != entry.bytes) fail("is compressed, which PyTorch does not do");
  if ((entry.flags & 1U) != 0) fail("is encrypted");
  if (entry.header > entries_end_ || entries_end_ - entry.header < kHeaderBytes)
    fail(fmt::format("is to begin at byte {}", entry.header));
  const std::string header = bytes_at(entry.header, kHeaderBytes);
  const std::uint64_t name_bytes = little_endian(header, 26, 2), extra_bytes = little_endian(header, 28, 2);
  const std::uint64_t begin = entry.header + kHeaderBytes + name_bytes + extra_bytes;
  if (!begins(header, "PK\x03\x04") || begin > entries_end_ ||
      bytes_at(entry.header + kHeaderBytes, name_bytes) != name)
    fail("is not where the directory says");
  if (entry.bytes > entries_end_ - begin)
    fail(fmt::format("is to have {} bytes from {} on, of {}", entry.bytes, begin, file_bytes_));
  return begin;
}

std::uint64_t Archive::size(const std::string& name) const {
  const Entry& wanted = entry(name);
  begin_of(name, wanted);
  return wanted.bytes;
}

void Archive::read(const std::string& name, void* to) const {
  const Entry& wanted = entry(name);
  const std::uint64_t begin = begin_of(name, wanted);
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(begin));
  if (!stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(wanted.bytes)))
    refuse(fmt::format("entry \"{}\" cannot be read", terminal_text(name)));
  uLong sum = ::crc32(0, nullptr, 0);
  const auto* at = static_cast<const Bytef*>(to);
  for (std::uint64_t left = wanted.bytes; left > 0;) {
    const auto some = static_cast<uInt>(std::min<std::uint64_t>(left, std::numeric_limits<int>::max()));
    sum = ::crc32(sum, at, some);
    at += some;
    left -= some;
  }
  if (sum != wanted.checksum)
    refuse(fmt::format("entry \"{}\" has another checksum than the archive says", terminal_text(name)));
}

std::string Archive::text(const std::string& name) const {
  std::string text(size(name), '\0');
  read(name, text.data());
  return text;
}

}  // namespace glidepath::pt2
