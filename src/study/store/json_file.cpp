// src/study/store/json_file.cpp - JSON that other programs may have written, or left half-written, in a
// study's folder.
#include "study/store/json_file.h"

#include <limits>

#include "core/safe_text.h"
#include "files/json_text.h"
#include "files/read_file.h"

namespace glidepath {

using nlohmann::json;

json parse_object(const std::string& text) {
  constexpr std::size_t kDeepest = 32;
  if (json_depth(text) > kDeepest) return {};
  json object = try_parse_json(text);
  return object.is_object() ? object : json();
}

json read_object(const std::filesystem::path& file) { return parse_object(try_read_file(file).value_or("")); }

std::string text_at(const json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : std::string();
}

std::int64_t whole_at(const json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_number_unsigned()) return 0;
  const auto count = value->get<std::uint64_t>();
  return count <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
             ? static_cast<std::int64_t>(count)
             : 0;
}

}  // namespace glidepath
