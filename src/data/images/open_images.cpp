// src/data/images/open_images.cpp - the images at a path, in whichever of the known forms they are.
#include "data/images/open_images.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "data/images/folder_store.h"
#include "data/stores/pack_store.h"
#include "data/stores/tar_collections.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

const ImageForm& form_of(const fs::path& path) {
  std::error_code error;
  if (path.empty())
    throw InputError("data \"imagefolder:\": no path; give a folder, imagefolder:/data/photos");
  const bool is_there = fs::exists(path, error);
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
  throw InputError(fmt::format("data \"imagefolder:{}\": must hold {}", path.string(), wanted));
}

const std::string kImageFolder = "imagefolder:";

}  // namespace

bool is_images_path(const std::string& data) { return data.rfind(kImageFolder, 0) == 0; }

fs::path images_path(const std::string& data, const fs::path& data_dir) {
  const fs::path path = data.substr(kImageFolder.size());
  return path.empty() ? path : data_dir / path;
}

const std::vector<ImageForm>& image_forms() {
  // Shards may lie in folders train/ and val/, too.
  static const auto has_class_folders = [](const fs::path& path) {
    return has_image_folders(path) && !holds_shards(path);
  };
  static const std::vector<ImageForm> forms = {
      {"folders train/ and val/ with one folder of images for each class", has_class_folders,
       open_image_folders},
      {"ImageNet's own files, ILSVRC2012_img_train.tar and the others", holds_imagenet_tars,
       open_imagenet_tars},
      {"a pack made by \"glidepath data pack\"", is_pack, open_pack},
      {"WebDataset shards train*.tar and val*.tar", holds_shards, open_webdataset},
  };
  return forms;
}

ImageCollection open_images(const fs::path& path) { return form_of(path).open(path); }

void require_images(const fs::path& path) { form_of(path); }

std::int64_t count_training_images(const fs::path& path) { return open_images(path).train->size(); }

}  // namespace glidepath
