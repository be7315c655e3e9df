// src/cli/checks.cpp - checks of single values.
#include "cli/checks.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/data_names.h"
#include "core/safe_text.h"
#include "core/words.h"
#include "files/home.h"

namespace glidepath::cli {

Check not_empty(const std::string& example) {
  return [example](const std::string& text) {
    return text.empty() ? fmt::format("\"\": must not be empty; give {}", example) : "";
  };
}

namespace {

std::string with_home(std::string& text) {
  auto path = expand_home(text);
  if (!path) return fmt::format("\"{}\": {}", text, kNoSuchHome);
  text = *std::move(path);
  return "";
}

CLI::Option* changed_by(CLI::Option* option, const std::function<std::string(std::string&)>& change) {
  return option->transform(CLI::Validator(change, "", ""));
}

}  // namespace

CLI::Option* takes_path(CLI::Option* option, const std::string& example) {
  if (!example.empty()) option->check(not_empty(example));
  return changed_by(option, with_home);
}

CLI::Option* takes_new_path(CLI::Option* option, const std::string& example) {
  const auto plain = [](const std::string& text) {
    const std::string control = first_control(text);
    return control.empty()
               ? ""
               : fmt::format("\"{}\": holds the control character {}; give another name", text, control);
  };
  return takes_path(option->check(plain), example);
}

CLI::Option* takes_data(CLI::Option* option) {
  return changed_by(option, [](std::string& text) {
    const std::string prefix = data_prefix(text);
    std::string path = text.substr(prefix.size());
    const std::string problem = with_home(path);
    text = prefix + path;
    return problem;
  });
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

Check number_between(double low, double high) {
  return [=](const std::string& text) -> std::string {
    const auto value = words::number(text);
    return value && *value >= low && *value <= high
               ? ""
               : fmt::format("\"{}\": must be a number in [{}, {}]", text, low, high);
  };
}

Check one_of(const std::vector<std::string>& choices) {
  return [choices](const std::string& text) -> std::string {
    if (std::find(choices.begin(), choices.end(), text) != choices.end()) return "";
    return fmt::format("\"{}\": must be one of {}", text, fmt::join(choices, ", "));
  };
}

}  // namespace glidepath::cli
