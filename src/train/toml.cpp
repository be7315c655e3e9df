// src/train/toml.cpp - TOML text into toml++'s tables, and its values into text.
#include "train/toml.h"

#include <stdexcept>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

struct BrokenAssertion : std::logic_error {
  using std::logic_error::logic_error;
};

}  // namespace

void refuse_toml(const char* broken_assertion) { throw BrokenAssertion(broken_assertion); }

toml::table parse_toml(const std::string& text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw InputError(
        fmt::format("{}:{}: not valid TOML: {}", name, error.source().begin.line, error.description()));
  } catch (const BrokenAssertion& error) {
    throw InputError(fmt::format("{}: not valid TOML: it breaks \"{}\" in toml++", name, error.what()));
  }
}

std::string toml_value_text(const toml::node& node, const std::string& key) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw InputError(fmt::format("{}: must be a single text, number, true or false", key));
}

}  // namespace glidepath
