// src/data/images/corrupt_images.cpp - the images of a split that could not be decoded, counted and named.
#include "data/images/corrupt_images.h"

#include <algorithm>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

void CorruptImages::set_limit(std::int64_t limit, const std::string& told) {
  limit_ = limit;
  told_limit_ = told;
}

void CorruptImages::add(std::int64_t index, const std::string& name, const std::string& reason) {
  if (!known_.insert(index).second) return;
  const auto count = static_cast<std::int64_t>(known_.size());
  if (count > limit_) {
    throw RunError(
        fmt::format("{}: {}; with it {} {} image(s) cannot be decoded, and max_corrupt \"{}\" allows {}; "
                    "repair or remove "
                    "them, or allow more",
                    name, reason, count, split_, told_limit_, limit_));
  }
  news_.push_back({index, name, reason});
  unshared_.push_back(news_.back());
}

std::vector<std::string> CorruptImages::take_news() {
  std::sort(news_.begin(), news_.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  std::vector<std::string> lines;
  for (const SkippedImage& image : news_)
    lines.push_back(fmt::format("{}: {}; the image is skipped", image.name, image.reason));
  news_.clear();
  return lines;
}

}  // namespace glidepath
