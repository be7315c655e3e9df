// src/model/pt2/json_fields.h - fields of the JSON that torch.export writes, each looked at before it is
// used.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/safe_text.h"

namespace glidepath::pt2 {

using nlohmann::json;

/// What is wrong with the JSON; whoever knows the file says it.
struct WrongJson : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const json& field(const json& object, const char* key) {
  if (!object.is_object()) throw WrongJson(fmt::format("\"{}\" is looked for in what is no object", key));
  const auto found = object.find(key);
  if (found == object.end()) throw WrongJson(fmt::format("has no field \"{}\" where one should be", key));
  return *found;
}

inline const json& list_of(const json& value) {
  if (!value.is_array()) throw WrongJson("has something else where a list should be");
  return value;
}

inline const json& object_of(const json& value) {
  if (!value.is_object()) throw WrongJson("has something else where an object should be");
  return value;
}

inline std::int64_t whole_of(const json& value) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (!fits) throw WrongJson("has something else where a whole number should be");
  return value.get<std::int64_t>();
}

inline bool truth_of(const json& value) {
  if (!value.is_boolean()) throw WrongJson("has something else where true or false should be");
  return value.get<bool>();
}

inline std::string text_of(const json& value) {
  if (!value.is_string()) throw WrongJson("has something else where a text should be");
  return value.get<std::string>();
}

/// JSON has no such numbers; PyTorch writes texts for them.
inline double real_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string text = text_of(value);
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::nan("");
  throw WrongJson(fmt::format("has \"{}\" where a number should be", terminal_text(text)));
}

/// The one field of a union that is there: its key and its value.
inline std::pair<std::string, const json*> union_of(const json& value) {
  for (const auto& item : object_of(value).items()) {
    if (!item.value().is_null()) return {item.key(), &item.value()};
  }
  throw WrongJson("has an empty union");
}

}  // namespace glidepath::pt2
