// src/data/stores/image_name.h - which files are taken for images.
#pragma once
#include <string>
#include <string_view>

namespace glidepath {

/// A name's last ending in small letters, with its point: ".jpg"; empty where it has none.
std::string ending_of(std::string_view name);

/// Whether a name ends as those of images do, in any case: as torchvision's ImageFolder takes them (.jpg,
/// .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp), and .jpe and .jfif, by which JPEGs go as well.
bool is_image_name(std::string_view name);

/// ".jpg, .jpeg, ...", for messages.
std::string image_endings();

/// Whether a file or folder is what a system, an editor or a disk station leaves beside one's own: a name
/// that begins with a point, Synology's @eaDir, __MACOSX, Thumbs.db, desktop.ini and their like. Such a thing
/// is never an image or a class.
bool is_litter(std::string_view name);

}  // namespace glidepath
