// src/data/stores/tar_cache.cpp - keeps indices of tar files, so that a file of 138 GB is looked through
// once.
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <zlib.h>

#include "core/words.h"
#include "data/fetch/locations.h"
#include "data/stores/tar_images.h"
#include "files/atomic_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kWorthKeeping = 1000;  // images; a smaller tar is looked through in no time

// The file: this header, the images, their names, what was passed by ("10 .gif" and a line end each), the
// key. Bytes as this machine has them: it is a cache.
struct CacheHeader {
  char magic[8] = {'g', 'l', 'i', 't', 'a', 'r', '0', '2'};
  std::uint64_t images = 0, names = 0, passed_by = 0, key = 0;  // counts of what follows
  std::uint32_t checksum = 0, image_bytes = sizeof(TarImages::Image);
};

std::string text_of(const PassedBy& passed_by) {
  std::string text;
  for (const auto& [kind, count] : passed_by.kinds()) text += fmt::format("{} {}\n", count, kind);
  return text;
}

PassedBy passed_by_in(const std::string& text) {
  PassedBy passed_by;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t space = text.find(' ', at), end = text.find('\n', at);
    if (space == text.npos || end == text.npos || space > end) break;
    passed_by.add(text.substr(space + 1, end - space - 1),
                  words::count(text.substr(at, space - at)).value_or(0));
    at = end + 1;
  }
  return passed_by;
}

std::uint32_t checksum_of(const TarImages& images, const std::string& key) {
  uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(images.images.data()),
                      images.images.size() * sizeof(TarImages::Image));
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(images.names.data()), images.names.size());
  const std::string passed_by = text_of(images.passed_by);
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(passed_by.data()), passed_by.size());
  return static_cast<std::uint32_t>(crc32_z(sum, reinterpret_cast<const Bytef*>(key.data()), key.size()));
}

/// Empty when it is not there, is of another state of the file, or is damaged.
std::optional<TarImages> load(const fs::path& path, const std::string& key) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  const InputFile file(path);
  const CacheHeader expected;
  CacheHeader header;
  if (file.size() < sizeof header) return std::nullopt;
  file.read(&header, sizeof header, 0);
  if (std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0) return std::nullopt;
  if (header.image_bytes != expected.image_bytes || header.key != key.size()) return std::nullopt;
  if (header.images > file.size() / sizeof(TarImages::Image) || header.names > file.size() ||
      header.passed_by > file.size())
    return std::nullopt;
  const std::uint64_t image_bytes = header.images * sizeof(TarImages::Image);
  if (file.size() != sizeof header + image_bytes + header.names + header.passed_by + key.size())
    return std::nullopt;

  TarImages images;
  images.images.resize(header.images);
  images.names.resize(header.names);
  std::string passed_by(header.passed_by, '\0'), stored_key(key.size(), '\0');
  std::uint64_t at = sizeof header;
  const auto read = [&](void* to, std::uint64_t bytes) {
    file.read(to, bytes, at);
    at += bytes;
  };
  read(images.images.data(), image_bytes);
  read(images.names.data(), header.names);
  read(passed_by.data(), header.passed_by);
  read(stored_key.data(), key.size());
  images.passed_by = passed_by_in(passed_by);
  if (stored_key != key || checksum_of(images, key) != header.checksum) return std::nullopt;
  return images;
}

void save(const fs::path& path, const std::string& key, const TarImages& images) {
  fs::create_directories(path.parent_path());
  CacheHeader header;
  header.images = images.images.size();
  header.names = images.names.size();
  const std::string passed_by = text_of(images.passed_by);
  header.passed_by = passed_by.size();
  header.key = key.size();
  header.checksum = checksum_of(images, key);
  AtomicFile out(path);
  out.write(&header, sizeof header);
  out.write(images.images.data(), images.images.size() * sizeof(TarImages::Image));
  out.write(images.names.data(), images.names.size());
  out.write(passed_by.data(), passed_by.size());
  out.write(key.data(), key.size());
  out.commit();
}

}  // namespace

TarImages cached_tar_images(const InputFile& file, const std::string& kind,
                            const std::function<TarImages()>& make) {
  std::error_code error;
  const fs::path whole = fs::absolute(file.path(), error);
  const std::string name = fmt::format("{}\n{}", kind, whole.string());
  const std::string key = fmt::format("{}\n{} {}", name, file.size(), file.changed());
  const uLong number = crc32_z(0, reinterpret_cast<const Bytef*>(name.data()), name.size());
  const fs::path cache = cache_folder();
  if (cache.empty()) return make();
  const fs::path path =
      cache.parent_path() / "tar-index" / fmt::format("{}-{:08x}.index", whole.filename().string(), number);
  try {
    if (auto images = load(path, key)) return std::move(*images);
  } catch (const Error&) {  // as good as none
  }
  TarImages images = make();
  if (images.images.size() < kWorthKeeping) return images;
  try {
    save(path, key, images);
  } catch (const std::exception&) {  // read-only home, full disk: the next start looks through the file again
  }
  return images;
}

}  // namespace glidepath
