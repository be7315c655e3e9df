// src/data/stores/image_name.cpp - which files are taken for images.
#include "data/stores/image_name.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/letters.h"

namespace glidepath {
namespace {

constexpr std::string_view kEndings[] = {".jpg", ".jpeg", ".jpe",  ".jfif", ".png", ".webp",
                                         ".bmp", ".tif",  ".tiff", ".ppm",  ".pgm"};
// Of Synology, macOS, Windows and Linux.
constexpr std::string_view kLitter[] = {
    "@eadir",     "#recycle",    "#snapshot",   "__macosx",     "icon\r",
    "thumbs.db",  "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
    "lost+found", "__pycache__"};

template <typename List>
bool is_one_of(std::string_view name, const List& list) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

std::string ending_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : lower(name.substr(dot));
}

bool is_image_name(std::string_view name) { return is_one_of(ending_of(name), kEndings); }

std::string image_endings() { return fmt::format("{}", fmt::join(kEndings, ", ")); }

bool is_litter(std::string_view name) {
  return name.empty() || name.front() == '.' || is_one_of(lower(name), kLitter);
}

}  // namespace glidepath
