// src/files/atomic_file.cpp - a file that becomes visible under its name only when it is whole and on the
// disk.
#include "files/atomic_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::string_view kPart = ".part";

void write_whole(AtomicFile&& out, const std::string& text) {
  out.write(text.data(), text.size());
  out.commit();
}

/// NAME.part, as earlier versions had it, NAME.RANDOM.part and NAME.PID.part.
bool is_part_of(const std::string& entry, const std::string& name) {
  if (entry.size() < name.size() + kPart.size() || entry.compare(0, name.size(), name) != 0) return false;
  if (entry.compare(entry.size() - kPart.size(), kPart.size(), kPart) != 0) return false;
  const std::string between = entry.substr(name.size(), entry.size() - name.size() - kPart.size());
  return between.empty() ||
         (between.front() == '.' && between.find_first_not_of("0123456789abcdef", 1) == std::string::npos);
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& file, Writers writers)
    : file_(file), folder_(Folder::try_open(file.parent_path())), name_(file.filename().string()) {
  if (!folder_) fail("write");
  begin(writers);
}

AtomicFile::AtomicFile(const Folder& folder, const std::string& name, Writers writers)
    : file_(folder.path() / name), folder_(folder), name_(name) {
  begin(writers);
}

AtomicFile::AtomicFile(const Folder& folder, const std::string& name, const std::string& part, int descriptor)
    : file_(folder.path() / name), folder_(folder), name_(name), part_(part), descriptor_(descriptor) {}

void AtomicFile::begin(Writers writers) {
  if (writers == Writers::kOne) remove_parts(*folder_, name_);
  descriptor_ = folder_->create_unique(name_ + ".", std::string(kPart), part_);
  if (descriptor_ < 0) fail("write");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_ && !part_.empty()) folder_->remove(part_);
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::write(descriptor_, at, bytes);
    if (count < 0 && errno != EINTR) fail("write");
    if (count <= 0) continue;
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("flush");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("close");
  const int folder = folder_->descriptor();
  if (::renameat(folder, part_.c_str(), folder, name_.c_str()) != 0) fail("replace");
  committed_ = true;
  folder_->flush();
}

void AtomicFile::fail(const char* what) const {
  const int reason = errno;
  throw RunError(fmt::format("{}: cannot {}: {}", file_.string(), what, std::strerror(reason)));
}

void write_file(const fs::path& file, const std::string& text) { write_whole(AtomicFile(file), text); }

void write_file(const Folder& folder, const std::string& name, const std::string& text) {
  write_whole(AtomicFile(folder, name), text);
}

void write_shared_file(const fs::path& file, const std::string& text) {
  write_whole(AtomicFile(file, Writers::kSeveral), text);
}

void write_shared_file(const Folder& folder, const std::string& name, const std::string& text) {
  write_whole(AtomicFile(folder, name, Writers::kSeveral), text);
}

void copy_whole(const fs::path& from, const fs::path& to, Writers writers) {
  const int descriptor = open_regular(from);
  if (descriptor < 0)
    throw RunError(fmt::format("{}: cannot be read: {}", from.string(), std::strerror(errno)));
  try {
    AtomicFile out(to, writers);
    std::vector<char> block(std::size_t{1} << 20);
    for (;;) {
      const ssize_t count = ::read(descriptor, block.data(), block.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0)
        throw RunError(fmt::format("{}: cannot be read: {}", from.string(), std::strerror(errno)));
      if (count == 0) break;
      out.write(block.data(), static_cast<std::size_t>(count));
    }
    out.commit();
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

void remove_parts(const Folder& folder, const std::string& name) {
  for (const std::string& entry : folder.names()) {
    if (is_part_of(entry, name)) folder.remove(entry);
  }
}

void flush_folder(const fs::path& folder) {
  if (const auto open = Folder::try_open(folder)) open->flush();
}

}  // namespace glidepath
