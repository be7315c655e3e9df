// src/files/json_text.h - the one way in which JSON becomes text.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

namespace glidepath {

/// JSON is UTF-8, and a path or what a program said may not be: such bytes become U+FFFD, and nothing throws.
/// `indent` -1: on one line.
template <typename Json>
std::string json_text(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace glidepath
