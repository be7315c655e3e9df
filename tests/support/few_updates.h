// tests/support/few_updates.h - runs of tests are short, and are told so.
#pragma once
#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace glidepath {

inline bool tells_of_few_updates(const std::string& warning) {
  return warning.find("which is too few to learn much") != std::string::npos;
}

/// What a program wrote, or its warnings, without the one that the budget buys few updates.
inline std::string without_advice(const std::string& lines) {
  std::istringstream in(lines);
  std::string rest;
  for (std::string line; std::getline(in, line);) {
    if (!tells_of_few_updates(line)) rest += line + "\n";
  }
  return rest;
}
inline std::vector<std::string> without_advice(std::vector<std::string> warnings) {
  warnings.erase(std::remove_if(warnings.begin(), warnings.end(), tells_of_few_updates), warnings.end());
  return warnings;
}

}  // namespace glidepath
