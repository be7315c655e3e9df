// src/data/stores/unpacked_tar.cpp - compressed tars, unpacked once and kept.
#include "data/stores/unpacked_tar.h"

#include <algorithm>
#include <archive.h>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <zlib.h>

#include "data/archives/archive_filters.h"
#include "data/fetch/locations.h"
#include "files/atomic_file.h"
#include "files/content_kind.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

// The plain ending comes first.
const std::pair<const char*, const char*> kPackedEndings[] = {
    {".tar", ".tar"},  {".tar.gz", ".tar"}, {".tgz", ".tar"},     {".tar.zst", ".tar"},
    {".tzst", ".tar"}, {".tar.xz", ".tar"}, {".txz", ".tar"},     {".tar.bz2", ".tar"},
    {".tbz2", ".tar"}, {".tbz", ".tar"},    {".tar.lz4", ".tar"}, {".tar.lzma", ".tar"}};

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() > ending.size() && text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

/// "compressed by gzip"; empty where it is not.
std::string compression_of(const InputFile& file) {
  std::string begin(kContentKindBytes, '\0');
  begin.resize(file.read_some(begin.data(), begin.size(), 0));
  std::string kind = content_kind(begin.data(), begin.size());
  return kind.rfind("compressed by", 0) == 0 ? kind : "";
}

/// Held by the process that unpacks; others wait for it. A file system without locks is done without.
class UnpackLock {
 public:
  explicit UnpackLock(const fs::path& file)
      : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    while (descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~UnpackLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  UnpackLock(const UnpackLock&) = delete;
  UnpackLock& operator=(const UnpackLock&) = delete;

 private:
  int descriptor_;
};

/// What libarchive reads from: a disk's failure must not be taken for damage.
class Source {
 public:
  explicit Source(const InputFile& file) : file_(file), buffer_(1U << 18) {}

  static la_ssize_t read(archive* handle, void* self, const void** buffer) {
    auto& source = *static_cast<Source*>(self);
    try {
      const std::size_t count =
          source.file_.read_some(source.buffer_.data(), source.buffer_.size(), source.position_);
      source.position_ += count;
      *buffer = source.buffer_.data();
      return static_cast<la_ssize_t>(count);
    } catch (const Error& error) {
      source.failure_ = std::current_exception();
      archive_set_error(handle, -1, "%s", error.what());
      return -1;
    }
  }
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const InputFile& file_;
  std::vector<char> buffer_;
  std::uint64_t position_ = 0;
  std::exception_ptr failure_;
};

void unpack(const InputFile& file, const std::string& compression, AtomicFile& out) {
  // Images hardly shrink; a small file that unpacks to a full disk is no data set.
  const std::uint64_t most = (std::uint64_t{1} << 26) + 100 * file.size();
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  if (!reader) throw RunError("libarchive cannot start");
  read_compressed(reader.get());
  archive_read_support_format_raw(reader.get());
  Source source(file);
  const auto refuse = [&](const std::string& what) {
    source.rethrow_failure();
    throw InputError(fmt::format("{}: is {}, {}", file.path().string(), compression, what));
  };
  const auto reason = [&]() -> std::string {
    const char* text = archive_error_string(reader.get());
    return text == nullptr ? "it cannot be unpacked" : text;
  };
  archive_entry* entry = nullptr;
  if (archive_read_open(reader.get(), &source, nullptr, Source::read, nullptr) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK)
    refuse(fmt::format("and {}; copy or fetch it again", reason()));
  // The raw format takes anything, uncompressed as well: what no filter knew is given out as it is.
  if (archive_filter_count(reader.get()) < 2)
    refuse("which this machine's libarchive does not read; unpack it yourself");
  std::uint64_t bytes = 0;
  for (;;) {
    const void* block = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader.get(), &block, &count, &offset);
    if (status == ARCHIVE_EOF) return;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
      refuse(fmt::format("and {}; copy or fetch it again", reason()));
    bytes += count;
    if (bytes > most)
      refuse(fmt::format("and unpacks to more than {} bytes; unpack it yourself if that is right", most));
    out.write(block, count);
  }
}

/// Copies of other states of the file are of no use any more, nor is what a kill left half-written.
void remove_old_copies(const fs::path& folder, const std::string& begin, const fs::path& lock) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().rfind(begin, 0) == 0 && entry.path() != lock)
      fs::remove(entry.path(), error);
  }
}

fs::path unpacked(const InputFile& file, const std::string& compression, const TellProgress& tell) {
  std::error_code error;
  const std::string whole = fs::absolute(file.path(), error).string();
  const uLong number = crc32_z(0, reinterpret_cast<const Bytef*>(whole.data()), whole.size());
  const fs::path folder = cache_folder().parent_path() / "tar-unpacked";
  const std::string begin = fmt::format("{}-{:08x}-", file.path().filename().string(), number);
  const fs::path copy = folder / fmt::format("{}{}-{}.tar", begin, file.size(), file.changed());
  try {
    fs::create_directories(folder);
    const fs::path lock_file = folder / (begin + "lock");
    const UnpackLock lock(lock_file);
    if (fs::exists(copy, error)) return copy;
    remove_old_copies(folder, begin, lock_file);
    if (tell)
      tell(fmt::format("{} is {}: unpacking it once into {}", file.path().string(), compression,
                       folder.string()));
    AtomicFile out(copy);
    unpack(file, compression, out);
    out.commit();
  } catch (const ReadFailed&) {
    throw;
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& problem) {
    throw RunError(
        fmt::format("{}: is {}, and cannot be unpacked into the cache: {}; unpack it yourself, or "
                    "let XDG_CACHE_HOME name a folder with room",
                    file.path().string(), compression, problem.what()));
  }
  return copy;
}

}  // namespace

std::unique_ptr<InputFile> open_tar(const fs::path& path, const TellProgress& tell) {
  auto file = std::make_unique<InputFile>(path);
  const std::string compression = compression_of(*file);
  if (compression.empty()) return file;
  return std::make_unique<InputFile>(unpacked(*file, compression, tell), path);
}

bool is_tar_name(const std::string& name) {
  return std::any_of(std::begin(kPackedEndings), std::end(kPackedEndings),
                     [&](const auto& ending) { return ends_with(name, ending.first); });
}

std::string plain_tar_name(const std::string& name) {
  for (const auto& [ending, plain] : kPackedEndings) {
    if (ends_with(name, ending)) return name.substr(0, name.size() - std::string(ending).size()) + plain;
  }
  return name;
}

}  // namespace glidepath
