// src/config/by_name_text.cpp - values for parameters whose names fit patterns, as text.
#include "config/by_name_text.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/config_entry.h"
#include "core/words.h"

namespace glidepath {
namespace {

constexpr const char* kForm = "must be a list of PATTERN=VALUE, for example fc.*=10,layer1.*=0.1";

bool is_pattern(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("._-*?").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

template <typename List>
std::string text_of(const List& list) {
  std::vector<std::string> items;
  for (const auto& [pattern, value] : list) items.push_back(fmt::format("{}={}", pattern, value));
  return fmt::format("{}", fmt::join(items, ","));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parse_by_name(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> list;
  std::string_view rest = words::trim(text);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = words::trim(rest.substr(0, comma));
    const bool is_last = comma == std::string_view::npos;
    rest = is_last ? std::string_view() : rest.substr(comma + 1);
    const std::size_t equals = item.find('=');
    const bool has_both = equals != std::string_view::npos && equals + 1 < item.size();
    if (!has_both || (!is_last && words::trim(rest).empty())) refuse_value(text, kForm);
    const std::string_view pattern = words::trim(item.substr(0, equals)),
                           value = words::trim(item.substr(equals + 1));
    if (!is_pattern(pattern) || value.empty()) refuse_value(text, kForm);
    list.emplace_back(pattern, value);
  }
  return list;
}

std::vector<std::string> parse_names(const std::string& text) {
  std::vector<std::string> list;
  if (words::trim(text).empty()) return list;
  for (std::string_view rest = text;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view pattern = words::trim(rest.substr(0, comma));
    if (!is_pattern(pattern)) refuse_value(text, "must be a list of names, for example conv1.*,layer1.*");
    list.emplace_back(pattern);
    if (comma == std::string_view::npos) return list;
    rest.remove_prefix(comma + 1);
  }
}

std::string canonical_names(const std::string& text) {
  return fmt::format("{}", fmt::join(parse_names(text), ","));
}

std::vector<std::pair<std::string, double>> parse_numbers_by_name(const std::string& text) {
  std::vector<std::pair<std::string, double>> list;
  for (const auto& [pattern, value] : parse_by_name(text)) {
    const auto number = words::number(value);
    if (!number || *number < 0) refuse_value(text, fmt::format("{}: must be a number of at least 0", value));
    list.emplace_back(pattern, *number);
  }
  return list;
}

std::string canonical_shares_by_name(const std::string& text) {
  for (const auto& [pattern, share] : parse_numbers_by_name(text)) {
    if (!(share > 0 && share <= 1))
      refuse_value(text, fmt::format("{}={}: must be a share of the budget in (0, 1]", pattern, share));
  }
  return canonical_numbers_by_name(text);
}

std::string canonical_by_name(const std::string& text) { return text_of(parse_by_name(text)); }

std::string canonical_numbers_by_name(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [pattern, value] : parse_numbers_by_name(text))
    list.emplace_back(pattern, words::number_text(value));
  return text_of(list);
}

}  // namespace glidepath
