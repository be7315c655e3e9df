// src/config/toml.cpp - TOML text into toml++'s tables, and its values into text.
#include "config/toml.h"

#include <cctype>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

struct BrokenAssertion : std::logic_error {
  using std::logic_error::logic_error;
};

/// Names of many parts (a.b.c) become tables in tables, and each level takes some of the stack when they go.
bool is_deep(const std::string& text) {
  constexpr int kMostParts = 500;
  int parts = 0;
  for (const char c : text) {
    const bool is_of_name =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_-\"' \t", c) != nullptr;
    if (c == '.') {
      if (++parts > kMostParts) return true;
    } else if (!is_of_name || c == '\0') {
      parts = 0;
    }
  }
  return false;
}

std::string line_of(const std::string& text, std::size_t number) {
  std::istringstream lines(text);
  std::string line;
  for (std::size_t i = 0; i < number && std::getline(lines, line); ++i) {
  }
  return line;
}

/// What is most often wrong with a line: a text without quotes, which budgets and times look as if they could
/// do without.
std::string hint_for(const std::string& line) {
  constexpr std::size_t kLongest = 60;
  const std::size_t equals = std::min(line.find('='), line.size());
  const std::string_view key = words::trim(std::string_view(line).substr(0, equals));
  std::string_view value = std::string_view(line).substr(std::min(line.size(), equals + 1));
  value = words::trim(value.substr(0, value.find_first_of("#\r")));
  if (key.empty() || value.empty() || value.size() > kLongest ||
      value.find_first_of("\"'[]{}=,") != value.npos)
    return "";
  if (words::number(value) || value == "true" || value == "false") return "";
  return fmt::format("; a text is in quotes: {} = \"{}\"", key, value);
}

}  // namespace

void refuse_toml(const char* broken_assertion) { throw BrokenAssertion(broken_assertion); }

toml::table parse_toml(const std::string& text, const std::string& name) {
  if (is_deep(text)) throw InputError(fmt::format("{}: has a name of more than 500 parts", name));
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    throw InputError(fmt::format("{}:{}: not valid TOML: {}{}", name, line, error.description(),
                                 hint_for(line_of(text, line))));
  } catch (const BrokenAssertion& error) {
    throw InputError(fmt::format("{}: not valid TOML: it breaks \"{}\" in toml++", name, error.what()));
  }
}

std::string toml_value_text(const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  std::ostringstream date;
  if (const auto* day = node.as_date()) date << day->get();
  if (const auto* time = node.as_time()) date << time->get();
  if (const auto* moment = node.as_date_time()) date << moment->get();
  if (!date.str().empty())
    throw InputError(fmt::format("{0}: a time is given in quotes: {0} = \"{1}\"", key, date.str()));
  throw InputError(fmt::format("{}: must be a single text, number, true or false", key));
}

}  // namespace glidepath
