// fuzz/pack.cpp - a pack is refused, or all of its images can be read. If the first byte is odd the checksums
// of index and footer are made right, which a fuzzer does not do by itself; the pack is the rest.
#include <cstring>

#include "data/packs/pack_file_writer.h"
#include "data/packs/pack_store.h"
#include "harness.h"

using namespace glidepath;

namespace {

void correct_checksums(std::string& pack) {
  PackFooter footer;
  if (pack.size() < sizeof footer) return;
  const std::size_t at = pack.size() - sizeof footer;
  std::memcpy(&footer, pack.data() + at, sizeof footer);
  if (footer.index_offset <= at && footer.index_bytes <= at - footer.index_offset) {
    footer.index_checksum = pack_checksum(pack.data() + footer.index_offset, footer.index_bytes);
  }
  footer.checksum = pack_checksum(&footer, offsetof(PackFooter, checksum));
  std::memcpy(pack.data() + at, &footer, sizeof footer);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string pack = fuzz::text_of(data + 1, size - 1);
  if ((data[0] & 1) != 0) correct_checksums(pack);
  static fuzz::MemoryFile file;
  file.assign(pack);
  ImageCollection images;
  if (!fuzz::accepts([&] { images = open_pack(file.path()); })) return 0;
  std::vector<unsigned char> buffer;
  for (const auto& split : {images.train, images.val}) {
    for (std::int64_t i = 0; i < split->size(); ++i) {
      const bool is_class =
          split->label(i) >= 0 && split->label(i) < static_cast<std::int64_t>(images.class_names.size());
      fuzz::require(is_class, "a label is a class");
      split->name(i);
      try {
        const StoredImage image = split->read(i, buffer);
        const bool fits = image.kind != StoredImage::Kind::kRgb ||
                          image.bytes == std::size_t{3} * static_cast<std::size_t>(image.height) *
                                             static_cast<std::size_t>(image.width);
        fuzz::require(fits, "pixels have the bytes they need");
      } catch (const RunError&) {  // damaged
      }
    }
  }
  return 0;
}
