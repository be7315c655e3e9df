// src/core/wildcard.cpp - names that fit a pattern.
#include "core/wildcard.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {

// Only the last * can be wrong about how much it stands for.
bool fits_pattern(std::string_view name, std::string_view pattern) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t n = 0, p = 0, star = kNone, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != kNone) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void require_fit(const char* key, const std::string& pattern, const std::vector<std::string>& parameters) {
  const bool fits = std::any_of(parameters.begin(), parameters.end(),
                                [&](const std::string& name) { return fits_pattern(name, pattern); });
  if (fits) return;
  throw InputError(fmt::format("{} \"{}\": fits none of the model's {} parameters; the nearest is {}", key,
                               terminal_text(pattern), parameters.size(),
                               words::nearest(pattern, parameters)));
}

}  // namespace glidepath
