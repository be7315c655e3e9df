// src/data/images/folder_store.h - class folders of image files, as torchvision's ImageFolder reads them.
#pragma once
#include <filesystem>

#include "data/images/image_store.h"

namespace glidepath {

/// Whether `root` has a folder to train on (train/, training/) that holds class folders. Images in them are
/// not looked for.
bool has_class_folders(const std::filesystem::path& root);

/// Whether there is an image in one of the class folders of `root`'s folder to train on.
bool has_images_in_class_folders(const std::filesystem::path& root);

/// Opens root/train/CLASS/... and root/val/CLASS/..., or what stands for these (folder_listing.h). Classes
/// are numbered in the order of their names' bytes; the images of a class are the files that is_image_name()
/// in its folder and those below, symbolic links followed. Where there is nothing to test on and `choice` has
/// a split, `val` stays empty. Throws InputError that names a folder which is missing or empty, a class which
/// is in one split alone, and a link which leads back into itself.
ImageCollection open_image_folders(const std::filesystem::path& root, const ImageChoice& choice);

/// Whether `root` itself holds class folders with images.
bool is_class_folders(const std::filesystem::path& root);

/// Opens root/CLASS/..., all of it as `train`. Throws InputError where `choice` has no split.
ImageCollection open_single_folder(const std::filesystem::path& root, const ImageChoice& choice);

}  // namespace glidepath
