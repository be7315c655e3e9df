// tests/support/mask_set.h - the smallest set of images with masks.
#pragma once
#include <filesystem>

namespace glidepath {

/// Makes `folder` a set of one picture of 37 x 23 and its mask, the same to train on and to test.
inline void write_mask_set(const std::filesystem::path& folder) {
  const std::filesystem::path masks = std::filesystem::path(GLIDEPATH_TEST_DATA) / "own/masks";
  for (const char* split : {"train", "val"}) {
    for (const char* kind : {"images", "masks"}) std::filesystem::create_directories(folder / split / kind);
    std::filesystem::copy_file(masks / "picture.png", folder / split / "images/a.png");
    std::filesystem::copy_file(masks / "picture-mask.png", folder / split / "masks/a.png");
  }
}

}  // namespace glidepath
