// src/study/store/json_file.h - JSON that other programs may have written, or left half-written, in a study's
// folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace glidepath {

/// An object, or null for a text that is none.
nlohmann::json parse_object(const std::string& text);

/// Likewise of a file; null for one that cannot be read.
nlohmann::json read_object(const std::filesystem::path& file);

/// "" for what is missing or no text.
std::string text_at(const nlohmann::json& object, const char* key);

/// A count; 0 for what is missing, negative, or too large for one.
std::int64_t whole_at(const nlohmann::json& object, const char* key);

}  // namespace glidepath
