// src/files/json_text.h - the one way in which JSON becomes text, and text JSON; compiled once.
#pragma once
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace glidepath {

/// JSON is UTF-8, and a path or what a program said may not be: such bytes become U+FFFD, and nothing throws.
/// `indent` -1: on one line.
std::string json_text(const nlohmann::json& json, int indent = -1);
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

/// Throws nlohmann::json::parse_error for what is no JSON. Text of others: json_depth() first.
nlohmann::json parse_json(std::string_view text);
nlohmann::ordered_json parse_ordered_json(std::string_view text);
/// A discarded value, which is neither an object nor anything else, for what is no JSON.
nlohmann::json try_parse_json(std::string_view text);

}  // namespace glidepath
