// src/cli/config_options.cpp - options of a run as flags of several commands.
#include "cli/config_options.h"

#include <algorithm>

#include <fmt/format.h>

#include "cli/terminal/message.h"
#include "glidepath/train_config.h"

namespace glidepath::cli {

void add_config_options(CLI::App& command, const std::vector<std::string>& keys, GivenValues& values,
                        const std::string& default_text) {
  for (const ConfigKey& key : train_config_keys()) {
    if (std::find(keys.begin(), keys.end(), key.name) == keys.end()) continue;
    auto* option = command.add_option_function<std::string>(
        flag_name(key.name), [&values, name = key.name](const std::string& text) { values[name] = text; },
        key.help);
    const std::string& shown = default_text.empty() ? key.default_text : default_text;
    option->type_name(key.default_text.empty() ? "TEXT" : fmt::format("[{}]", shown))->group(key.group);
  }
}

std::string with_flag(const std::string& message, const GivenValues& values) {
  const std::string key = message.substr(0, message.find(' '));
  return values.count(key) == 0 ? message : flag_name(key) + message.substr(key.size());
}

}  // namespace glidepath::cli
