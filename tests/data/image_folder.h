// tests/data/image_folder.h - a small folder of images, made of the golden ones.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace glidepath {

/// Two classes, `per_class` training images each and half as many to test on; files of every kind in turn.
/// Deleted with the object.
class ImageFolder {
 public:
  explicit ImageFolder(int per_class) {
    namespace fs = std::filesystem;
    const fs::path from = std::string(GLIDEPATH_TEST_DATA) + "/images/odd";
    const std::vector<std::string> kinds = {"420.jpg",         "rgb.png",     "grey.jpg",
                                            "progressive.jpg", "444.jpg",     "cmyk.jpg",
                                            "la.png",          "palette.png", "422.jpg"};
    std::size_t next = 0;
    for (const char* split : {"train", "val"}) {
      for (const char* label : {"cat", "dog"}) {
        const fs::path folder = path_ / split / label;
        fs::create_directories(folder);
        const int count = split == std::string("train") ? per_class : per_class / 2;
        for (int i = 0; i < count; ++i) {
          const fs::path kind = kinds[next++ % kinds.size()];
          fs::copy_file(from / kind, folder / (std::to_string(100 + i) + kind.extension().string()));
        }
      }
    }
  }

  const std::filesystem::path& path() const { return path_; }
  std::string data() const { return "imagefolder:" + path_.string(); }
  /// Cuts the file of that name, but for its ending, to `bytes`; returns its path.
  std::string damage(const std::string& name, std::uintmax_t bytes) const {
    for (const char* ending : {".jpg", ".png"}) {
      const std::string file = (path_ / (name + ending)).string();
      if (!std::filesystem::exists(file)) continue;
      std::filesystem::resize_file(file, bytes);
      return file;
    }
    return "no such file";
  }

 private:
  const TemporaryFolder temporary_{"images"};
  const std::filesystem::path& path_ = temporary_.path();
};

}  // namespace glidepath
