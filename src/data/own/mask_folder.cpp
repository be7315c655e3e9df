// src/data/own/mask_folder.cpp - folders of images and masks of the same name.
#include "data/own/mask_folder.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/words.h"
#include "data/stores/image_name.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr const char* kLayout = "the folder must have train/images, train/masks, val/images and val/masks";

std::vector<MaskedImage> list_split(const fs::path& folder) {
  const fs::path images = folder / "images", masks = folder / "masks";
  std::error_code error;
  for (const fs::path& each : {images, masks}) {
    if (fs::is_directory(each, error)) continue;
    throw_if_in_trouble(each, error);
    throw InputError(fmt::format("{}: is no folder; {}", each.string(), kLayout));
  }
  std::vector<MaskedImage> list;
  for (fs::directory_iterator at(images, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_image_name(name) || is_litter(name)) continue;
    list.push_back({at->path(), masks / at->path().stem().concat(".png")});
  }
  throw_if_in_trouble(images, error);
  if (error) throw InputError(fmt::format("{}: cannot be read: {}", images.string(), error.message()));
  if (list.empty())
    throw InputError(
        fmt::format("{}: holds no image; their names end in {}", images.string(), image_endings()));
  std::sort(list.begin(), list.end(),
            [](const MaskedImage& a, const MaskedImage& b) { return a.image < b.image; });
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!fs::exists(list[i].mask, error)) {
      throw_if_in_trouble(list[i].mask, error);
      throw InputError(
          fmt::format("{}: is not there, the mask of {}", list[i].mask.string(), list[i].image.string()));
    }
    if (i > 0 && list[i].mask == list[i - 1].mask)
      throw InputError(fmt::format("{}: is the mask of {} and of {}; each image has its own",
                                   list[i].mask.string(), list[i - 1].image.string(),
                                   list[i].image.string()));
  }
  return list;
}

std::vector<std::string> class_names_in(const fs::path& file) {
  std::vector<std::string> names;
  const auto text = try_read_file(file);
  if (!text) return names;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string name(words::trim(line));
    if (!name.empty()) names.push_back(name);
  }
  if (names.empty()) throw InputError(fmt::format("{}: names no class; a line each", file.string()));
  return names;
}

}  // namespace

MaskFolder list_masks(const fs::path& path) {
  MaskFolder folder;
  std::error_code error;
  for (const char* name : {"val", "valid", "validation", "test"}) {
    if (!folder.tested_on.empty() || !fs::is_directory(path / name, error)) continue;
    folder.tested_on = name;
  }
  folder.train = list_split(path / "train");
  folder.test = list_split(path / (folder.tested_on.empty() ? "val" : folder.tested_on));
  folder.class_names = class_names_in(path / "classes.txt");
  return folder;
}

}  // namespace glidepath
