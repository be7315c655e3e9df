// src/data/images/open_images.cpp - the images at a path, in whichever of the known forms they are.
#include "data/images/open_images.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data_split.h"
#include "data/images/folder_listing.h"
#include "data/images/folder_store.h"
#include "data/images/image_split.h"
#include "data/packs/pack_store.h"
#include "data/stores/tar_collections.h"
#include "files/read_failed.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

const ImageForm& form_of(const fs::path& path) {
  std::error_code error;
  if (path.empty())
    throw InputError("data \"imagefolder:\": no path; give a folder, imagefolder:/data/photos");
  const bool is_there = fs::exists(path, error);
  throw_if_in_trouble(path, error);
  if (error)
    throw InputError(
        fmt::format("data \"imagefolder:{}\": cannot be read: {}", path.string(), error.message()));
  if (!is_there)
    throw InputError(fmt::format("data \"imagefolder:{}\": there is nothing at this path", path.string()));
  std::string wanted;
  for (const ImageForm& form : image_forms()) {
    if (form.is_at(path)) return form;
    wanted += fmt::format("{}{}", wanted.empty() ? "" : ", or ", form.wanted);
  }
  // What cannot be looked into seems to hold nothing.
  const int needed = fs::is_directory(path, error) ? R_OK | X_OK : R_OK;
  if (::faccessat(AT_FDCWD, path.c_str(), needed, AT_EACCESS) != 0)
    throw InputError(
        fmt::format("data \"imagefolder:{}\": cannot be read: {}", path.string(), std::strerror(errno)));
  const std::string hint = hint_for(path);
  throw InputError(fmt::format("data \"imagefolder:{}\": must hold {}{}", path.string(), wanted,
                               hint.empty() ? "" : "; " + hint));
}

const std::string kImageFolder = "imagefolder:";

/// Folders with images are taken whatever tars lie beside them, and those are named.
ImageCollection open_folders_before_tars(const fs::path& path, const ImageChoice& choice) {
  ImageCollection images = open_image_folders(path, choice);
  std::vector<std::string> tars = shards_in(path);
  if (tars.empty()) return images;
  constexpr std::size_t kTold = 3;
  const std::size_t more = tars.size() > kTold ? tars.size() - kTold : 0;
  tars.resize(tars.size() - more);
  images.notes.push_back(fmt::format("{}{} passed by, as there are class folders with images",
                                     fmt::join(tars, ", "),
                                     more > 0 ? fmt::format(" and {} more", more) : ""));
  return images;
}

/// Before the folder is looked at: a wrong text is wrong whatever that holds.
void check_split(const std::string& text) {
  if (text.empty()) return;
  try {
    DataSplit::parse(text);
  } catch (const InputError& error) {
    throw InputError(fmt::format("split {}", error.what()));
  }
}

void require_choice_fits(const ImageCollection& images, const fs::path& path, const ImageChoice& choice) {
  if (!choice.split.empty() && images.val)
    throw InputError(
        fmt::format("split \"{}\": {} has splits of its own, of which {} is tested on; leave it out",
                    choice.split, path.string(), images.tested_on));
}

}  // namespace

bool is_images_path(const std::string& data) { return data.rfind(kImageFolder, 0) == 0; }

fs::path images_path(const std::string& data, const fs::path& data_dir) {
  const fs::path path = data.substr(kImageFolder.size());
  return path.empty() ? path : data_dir / path;
}

const std::vector<ImageForm>& image_forms() {
  // Shards may lie in folders train/ and val/, too, and ImageNet's tars beside folders half unpacked.
  static const auto is_folders = [](const fs::path& path) -> bool {
    if (!has_class_folders(path)) return false;
    return has_images_in_class_folders(path) || !(holds_shards(path) || holds_imagenet_tars(path));
  };
  static const std::vector<ImageForm> forms = {
      {"folders train/ and val/ with one folder of images for each class", is_folders,
       open_folders_before_tars},
      {"ImageNet's own files, ILSVRC2012_img_train.tar and the others", holds_imagenet_tars,
       open_imagenet_tars},
      {"a pack made by \"glidepath data pack\"", is_pack, open_pack},
      {"WebDataset shards train*.tar and val*.tar", holds_shards, open_webdataset},
      {"one folder of images for each class, with --split", is_class_folders, open_single_folder},
  };
  return forms;
}

ImageCollection open_images(const fs::path& path, const ImageChoice& choice) {
  check_split(choice.split);
  ImageCollection images = form_of(path).open(path, choice);
  require_choice_fits(images, path, choice);
  if (images.class_names.size() < 2)
    throw InputError(
        fmt::format("data \"imagefolder:{}\": has one class alone; a network that tells classes "
                    "apart needs two or more",
                    path.string()));
  if (!images.val) split_images(images, choice);
  if (!images.passed_by.empty()) images.notes.push_back(images.passed_by.text());
  return images;
}

void require_images(const fs::path& path, const ImageChoice& choice) {
  const ImageForm& form = form_of(path);
  const bool wants_split = form.is_at == is_class_folders && choice.split.empty();
  if (wants_split) form.open(path, choice);  // and its error
}

std::int64_t count_training_images(const fs::path& path, const ImageChoice& choice) {
  return open_images(path, choice).train->size();
}

}  // namespace glidepath
