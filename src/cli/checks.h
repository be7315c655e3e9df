// src/cli/checks.h - checks of single values, for CLI11's option->check(); each message starts with the
// value.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace glidepath::cli {

/// Returns what is wrong with a value, or "" when nothing is.
using Check = std::function<std::string(const std::string&)>;

/// Not "": as a path that would mean something else, or nothing. `example` completes the message.
Check not_empty(const std::string& example);
Check whole_number(std::int64_t low, std::int64_t high);
Check number_above_zero();
Check one_of(const std::vector<std::string>& choices);

}  // namespace glidepath::cli
