// src/data/stores/passed_by.h - the files of a data set that are not taken for images, counted by kind.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace glidepath {

class PassedBy {
 public:
  /// A file that is no image, by its ending; what is_litter() is of no account, but an image whose name
  /// begins with a point may have been meant as one.
  void add_file(std::string_view name);
  /// "link(s) to nothing", for example.
  void add(const std::string& kind, std::int64_t count = 1) { kinds_[kind] += count; }
  void add(const PassedBy& others) {
    for (const auto& [kind, count] : others.kinds_) add(kind, count);
  }

  bool empty() const { return kinds_.empty(); }
  const std::map<std::string, std::int64_t>& kinds() const { return kinds_; }
  /// "12 files passed by: 10 .gif, 2 .avif", the most frequent kinds first. Not of an empty one.
  std::string text() const;

 private:
  std::map<std::string, std::int64_t> kinds_;
};

}  // namespace glidepath
