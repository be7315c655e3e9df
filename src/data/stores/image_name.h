// src/data/stores/image_name.h - which files are taken for images.
#pragma once
#include <string_view>

namespace glidepath {

/// Whether a name ends as those of images do: .jpg, .jpeg, .png, in any case.
bool is_image_name(std::string_view name);

}  // namespace glidepath
