// src/cli/config_options.h - options of a run as flags of several commands.
#pragma once
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace glidepath::cli {

/// Config keys that were given as flags, and their texts.
using GivenValues = std::map<std::string, std::string>;

/// Those of `keys` as flags, in the order of the table of options. They set `values`, which outlives the
/// command. `default_text`, where given, is shown in place of each one's default.
void add_config_options(CLI::App& command, const std::vector<std::string>& keys, GivenValues& values,
                        const std::string& default_text = {});

/// A message of the library begins with the key whose value is wrong; where it was given as a flag, so does
/// the answer with the flag.
std::string with_flag(const std::string& message, const GivenValues& values);

}  // namespace glidepath::cli
