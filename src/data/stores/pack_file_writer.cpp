// src/data/stores/pack_file_writer.cpp - writes the file of a pack, image after image.
#include "data/stores/pack_file_writer.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <zlib.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

void append_text(std::string& index, const std::string& text) {
  const auto bytes = static_cast<std::uint32_t>(text.size());
  index.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
  index += text;
}

void append_count(std::string& index, std::uint64_t count) {
  index.append(reinterpret_cast<const char*>(&count), sizeof count);
}

}  // namespace

std::uint32_t pack_checksum(const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, static_cast<const Bytef*>(data), bytes));
}

PartLock::PartLock(const std::filesystem::path& file) {
  while (!try_once(file, file.string() + ".part")) {
  }
}

PartLock::~PartLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// A lock on a file that its last holder has renamed or removed is worth nothing.
bool PartLock::try_once(const std::filesystem::path& file, const std::filesystem::path& part) {
  descriptor_ = ::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return true;  // who writes it says why
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(std::exchange(descriptor_, -1));
    throw RunError(
        fmt::format("{}: another process is making it; wait for that, or give another name", file.string()));
  }
  struct stat held {
  }, there{};
  if (::fstat(descriptor_, &held) == 0 && ::stat(part.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
      held.st_dev == there.st_dev)
    return true;
  ::close(std::exchange(descriptor_, -1));
  return false;
}

PackFileWriter::PackFileWriter(const std::filesystem::path& file, const std::string& settings,
                               const std::vector<std::string>& class_names)
    : lock_(file), file_(file) {
  append_text(index_, settings);
  append_count(index_, class_names.size());
  for (const std::string& name : class_names) append_text(index_, name);
  PackHeader header{};
  std::memcpy(header.magic, kPackBegin, sizeof header.magic);
  header.version = kPackVersion;
  write(&header, sizeof header);
}

void PackFileWriter::write(const void* data, std::size_t bytes) {
  file_.write(data, bytes);
  offset_ += bytes;
}

void PackFileWriter::add(Split split, const PackedImage& image, std::int64_t label, const std::string& name) {
  if (image.data.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(
        fmt::format("{}: {} bytes; an image of a pack has less than 4 GiB", name, image.data.size()));
  }
  PackRecord record{};
  record.offset = offset_;
  record.bytes = static_cast<std::uint32_t>(image.data.size());
  record.label = static_cast<std::uint32_t>(label);
  record.checksum = pack_checksum(image.data.data(), image.data.size());
  record.name_bytes = static_cast<std::uint32_t>(name.size());
  record.height = static_cast<std::uint32_t>(image.height);
  record.width = static_cast<std::uint32_t>(image.width);
  record.kind = image.is_rgb ? 1 : 0;
  splits_[split].records.push_back(record);
  splits_[split].names += name;
  write(image.data.data(), image.data.size());
  constexpr char kPadding[8] = {};
  if (offset_ % 8 != 0) write(kPadding, 8 - offset_ % 8);
}

void PackFileWriter::finish() {
  for (const SplitIndex& split : splits_) {
    append_count(index_, split.records.size());
    index_.append(reinterpret_cast<const char*>(split.records.data()),
                  split.records.size() * sizeof(PackRecord));
    append_count(index_, split.names.size());
    index_ += split.names;
  }
  PackFooter footer{};
  footer.index_offset = offset_;
  footer.index_bytes = index_.size();
  footer.index_checksum = pack_checksum(index_.data(), index_.size());
  footer.version = kPackVersion;
  footer.checksum = pack_checksum(&footer, offsetof(PackFooter, checksum));
  std::memcpy(footer.magic, kPackEnd, sizeof footer.magic);
  write(index_.data(), index_.size());
  write(&footer, sizeof footer);
  file_.commit();
}

}  // namespace glidepath
