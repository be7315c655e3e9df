// src/cli/checks.cpp - checks of single values.
#include "cli/checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/words.h"

namespace glidepath::cli {

Check not_empty(const std::string& example) {
  return [example](const std::string& text) {
    return text.empty() ? fmt::format("\"\": must not be empty; give {}", example) : "";
  };
}

Check whole_number(std::int64_t low, std::int64_t high) {
  return [low, high](const std::string& text) -> std::string {
    const auto value = words::whole(text);
    if (value && *value >= low && *value <= high) return "";
    return fmt::format("\"{}\": must be a whole number in [{}, {}]", text, low, high);
  };
}

Check number_above_zero() {
  return [](const std::string& text) -> std::string {
    const auto value = words::number(text);
    return value && *value > 0 ? "" : fmt::format("\"{}\": must be a number above 0", text);
  };
}

Check one_of(const std::vector<std::string>& choices) {
  return [choices](const std::string& text) -> std::string {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return "";
    return fmt::format("\"{}\": must be one of {}", text, fmt::join(choices, ", "));
  };
}

}  // namespace glidepath::cli
