// src/data/stores/tar_cache.cpp - keeps indices of tar files, so that a file of 138 GB is looked through
// once.
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <zlib.h>

#include "data/locations.h"
#include "data/stores/tar_images.h"
#include "files/atomic_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kWorthKeeping = 1000;  // images; a smaller tar is looked through in no time

// The file: this header, the images, their names, the key. Bytes as this machine has them: it is a cache.
struct CacheHeader {
  char magic[8] = {'g', 'l', 'i', 't', 'a', 'r', '0', '1'};
  std::uint64_t images = 0, names = 0, key = 0;  // counts of what follows
  std::uint32_t checksum = 0, image_bytes = sizeof(TarImages::Image);
};

std::uint32_t checksum_of(const TarImages& images, const std::string& key) {
  uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(images.images.data()),
                      images.images.size() * sizeof(TarImages::Image));
  sum = crc32_z(sum, reinterpret_cast<const Bytef*>(images.names.data()), images.names.size());
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
  if (header.images > file.size() / sizeof(TarImages::Image) || header.names > file.size())
    return std::nullopt;
  const std::uint64_t image_bytes = header.images * sizeof(TarImages::Image);
  if (file.size() != sizeof header + image_bytes + header.names + key.size()) return std::nullopt;

  TarImages images;
  images.images.resize(header.images);
  images.names.resize(header.names);
  std::string stored_key(key.size(), '\0');
  file.read(images.images.data(), image_bytes, sizeof header);
  file.read(images.names.data(), header.names, sizeof header + image_bytes);
  file.read(stored_key.data(), key.size(), sizeof header + image_bytes + header.names);
  if (stored_key != key || checksum_of(images, key) != header.checksum) return std::nullopt;
  return images;
}

void save(const fs::path& path, const std::string& key, const TarImages& images) {
  fs::create_directories(path.parent_path());
  CacheHeader header;
  header.images = images.images.size();
  header.names = images.names.size();
  header.key = key.size();
  header.checksum = checksum_of(images, key);
  AtomicFile out(path);
  out.write(&header, sizeof header);
  out.write(images.images.data(), images.images.size() * sizeof(TarImages::Image));
  out.write(images.names.data(), images.names.size());
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
