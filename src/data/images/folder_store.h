// src/data/images/folder_store.h - class folders of image files, as torchvision's ImageFolder reads them.
#pragma once
#include <filesystem>

#include "data/images/image_store.h"

namespace glidepath {

/// Whether `root` has a folder train/.
bool has_image_folders(const std::filesystem::path& root);

/// Opens root/train/CLASS/... and root/val/CLASS/... (or validation/, or test/). Classes are numbered in the
/// order of their names' bytes; the images of a class are the files ending in .jpg, .jpeg or .png, in any
/// case, in its folder and those below, symbolic links followed. Names that begin with a point are no images
/// and no classes: systems and editors put them there. Throws InputError that names a folder which is missing
/// or empty, a class which is in one split alone, and a link which leads back into itself.
ImageCollection open_image_folders(const std::filesystem::path& root);

}  // namespace glidepath
