// fuzz/shard.cpp - a tar is refused as a shard, or its samples lie within it and have labels.
#include <fstream>

#include "data/stores/tar_collections.h"
#include "harness.h"

using namespace glidepath;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::ScratchFolder folder;
  static const bool is_set = ::setenv("XDG_CACHE_HOME", (folder.path() / "cache").c_str(), 1) == 0;
  fuzz::require(is_set, "indices and copies are kept in the scratch folder");
  // The same tar for both splits. It may be compressed: then a copy of it is unpacked, and removed again.
  const std::string text = fuzz::text_of(data, size);
  for (const char* name : {"train.tar", "val.tar"})
    std::ofstream(folder.path() / name, std::ios::binary) << text;
  fuzz::accepts([&] {
    const ImageCollection images = open_webdataset(folder.path());
    fuzz::require(images.train->size() > 0 && images.train->size() == images.val->size(), "there are images");
    std::vector<unsigned char> buffer;
    for (std::int64_t i = 0; i < images.train->size(); ++i) {
      const auto label = images.train->label(i);
      fuzz::require(label >= 0 && label < static_cast<std::int64_t>(images.class_names.size()),
                    "a label is a class");
      images.train->read(i, buffer);
    }
  });
  std::error_code error;
  std::filesystem::remove_all(folder.path() / "cache", error);
  return 0;
}
