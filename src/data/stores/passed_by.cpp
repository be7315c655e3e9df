// src/data/stores/passed_by.cpp - the files of a data set that are not taken for images, counted by kind.
#include "data/stores/passed_by.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/stores/image_name.h"

namespace glidepath {

namespace {

/// As a message can show it.
std::string shown(const std::string& ending) {
  if (ending.empty()) return "without an ending";
  constexpr std::size_t kLongest = 16;
  const bool is_plain =
      ending.size() <= kLongest && std::all_of(ending.begin() + 1, ending.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '~';
      });
  return is_plain ? ending : "with odd endings";
}

}  // namespace

void PassedBy::add_file(std::string_view name) {
  if (is_litter(name)) {
    // "._photo.jpg" is what macOS keeps of photo.jpg, and no picture.
    const bool is_hidden = name.size() > 1 && name[0] == '.' && name[1] != '_' && is_image_name(name);
    if (is_hidden) add("hidden " + ending_of(name));
    return;
  }
  add(shown(ending_of(name)));
}

std::string PassedBy::text() const {
  constexpr std::size_t kMostKinds = 8;
  std::vector<std::pair<std::string, std::int64_t>> kinds(kinds_.begin(), kinds_.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::int64_t all = 0, told = 0;
  std::string list;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    all += kinds[i].second;
    if (i >= kMostKinds) continue;
    told += kinds[i].second;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", kinds[i].second, kinds[i].first);
  }
  if (told < all) list += fmt::format(", {} of other kinds", all - told);
  return fmt::format("{} {} passed by: {}", all, all == 1 ? "file" : "files", list);
}

}  // namespace glidepath
