// src/data/packs/pack_file_writer.cpp - writes the file of a pack, image after image.
#include "data/packs/pack_file_writer.h"

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

PackPart::PackPart(const std::filesystem::path& file)
    : folder_(Folder::try_open(file.parent_path())), name_(file.filename().string()) {
  if (!folder_) throw RunError(fmt::format("{}: cannot write: {}", file.string(), std::strerror(errno)));
  while (!try_once()) {
  }
}

PackPart::~PackPart() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int PackPart::descriptor() const { return ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0); }

bool PackPart::try_once() {
  const auto is_locked_by_another = [](int descriptor) {
    return ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  };
  const auto refuse = [this](int descriptor) {
    ::close(descriptor);
    throw RunError(fmt::format("{}: another process is making it; wait for that, or give another name",
                               (folder_->path() / name_).string()));
  };
  const int made = folder_->create_new(part());
  if (made < 0 && errno != EEXIST) {
    throw RunError(
        fmt::format("{}: cannot write: {}", (folder_->path() / name_).string(), std::strerror(errno)));
  }
  if (made < 0) {
    constexpr int kLook = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const int there = ::openat(folder_->descriptor(), part().c_str(), kLook);
    if (there >= 0 && is_locked_by_another(there)) refuse(there);
    folder_->remove(part());
    if (there >= 0) ::close(there);
    if (folder_->has(part())) {
      throw RunError(fmt::format("{}.part: is in the way and cannot be removed; take it away",
                                 (folder_->path() / name_).string()));
    }
    return false;
  }
  if (is_locked_by_another(made)) refuse(made);
  struct stat held {};
  descriptor_ = made;
  if (::fstat(made, &held) == 0 && held.st_nlink > 0) return true;
  ::close(std::exchange(descriptor_, -1));  // another took it for what a killed process left
  return false;
}

PackFileWriter::PackFileWriter(const std::filesystem::path& file, const std::string& settings,
                               const std::vector<std::string>& class_names)
    : part_(file), file_(part_.folder(), part_.name(), part_.part(), part_.descriptor()) {
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
