// src/data/own/mask_folder.h - folders of images and masks of the same name.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace glidepath {

struct MaskedImage {
  std::filesystem::path image, mask;
};

struct MaskFolder {
  std::vector<MaskedImage> train, test;  ///< by name
  std::string tested_on;                 ///< val, valid, validation or test, the first that is there
  std::vector<std::string> class_names;  ///< of classes.txt; none where it is not there
};

/// PATH/train/images, PATH/train/masks and likewise of tests. Throws InputError naming what is not there.
MaskFolder list_masks(const std::filesystem::path& path);

}  // namespace glidepath
