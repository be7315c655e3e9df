// src/cli/checks.h - checks of single values, for CLI11's option->check(); each message starts with the
// value.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace glidepath::cli {

/// Returns what is wrong with a value, or "" when nothing is.
using Check = std::function<std::string(const std::string&)>;

/// Not "": as a path that would mean something else, or nothing. `example` completes the message.
Check not_empty(const std::string& example);
/// A path: a leading ~ or ~user becomes that user's home, whatever the shell made of it. `example` completes
/// the message for one that is empty; where it is empty itself, so may the path be.
CLI::Option* takes_path(CLI::Option* option, const std::string& example);
/// Likewise of a folder or file that is to be written: its name holds no control characters, which would
/// steer what shows it later.
CLI::Option* takes_new_path(CLI::Option* option, const std::string& example);
/// Likewise of a data set: what follows imagefolder:, and a pack of images.
CLI::Option* takes_data(CLI::Option* option);

Check whole_number(std::int64_t low, std::int64_t high);
Check number_above_zero();
Check number_between(double low, double high);
Check one_of(const std::vector<std::string>& choices);

}  // namespace glidepath::cli
