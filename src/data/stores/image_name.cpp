// src/data/stores/image_name.cpp - which files are taken for images.
#include "data/stores/image_name.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace glidepath {

bool is_image_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string ending(name.substr(dot + 1));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == "jpg" || ending == "jpeg" || ending == "png";
}

}  // namespace glidepath
