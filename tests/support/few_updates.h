// tests/support/few_updates.h - runs of tests are short, and are told so.
#pragma once
#include <sstream>
#include <string>

namespace glidepath {

/// What a program wrote, without one warning that the budget buys few updates; a second one stays.
inline std::string without_advice(const std::string& lines) {
  std::istringstream in(lines);
  std::string rest;
  bool told = false;
  for (std::string line; std::getline(in, line);) {
    const bool tells = line.find("which is too few to learn much") != std::string::npos;
    if (!tells || told) rest += line + "\n";
    told = told || tells;
  }
  return rest;
}

}  // namespace glidepath
