// src/data/images/open_images.h - the images at a path, in whichever of the known forms they are.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/images/image_store.h"

namespace glidepath {

/// A form in which the images of a data set may lie.
struct ImageForm {
  const char* wanted;  ///< what there has to be, for messages: "folders train/ and val/ of class folders"
  /// From a look at names and first bytes; the first form that says so opens.
  bool (*is_at)(const std::filesystem::path&);
  /// Throws InputError naming what is wrong. `val` may stay empty where the choice has a split.
  ImageCollection (*open)(const std::filesystem::path&, const ImageChoice&);
};

/// Whether the name of a data set is "imagefolder:PATH".
bool is_images_path(const std::string& data);

/// The path of such a name; a relative one is taken from `data_dir` where one is given.
std::filesystem::path images_path(const std::string& data, const std::filesystem::path& data_dir);

/// Every form there is, in the order in which they are tried. A new one is a line there.
const std::vector<ImageForm>& image_forms();

/// Opens the images at `path`. Throws InputError where it is in none of the forms, or has fewer than two
/// classes.
ImageCollection open_images(const std::filesystem::path& path, const ImageChoice& choice = {});

/// Throws the same where there is nothing to open, without opening it.
void require_images(const std::filesystem::path& path, const ImageChoice& choice = {});

/// How many images there are to train on; none is read. Throws as open_images() does.
std::int64_t count_training_images(const std::filesystem::path& path, const ImageChoice& choice = {});

}  // namespace glidepath
