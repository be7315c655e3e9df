// src/core/letters.h - what is asked of texts letter by letter, in ASCII alone.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

namespace glidepath {

/// A to Z become a to z; other bytes stay.
inline std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
  return result;
}

inline bool begins_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

}  // namespace glidepath
