// src/core/wildcard.h - names that fit a pattern.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace glidepath {

/// Whether the whole name fits: * stands for any characters, none included, and ? for one.
bool fits_pattern(std::string_view name, std::string_view pattern);

/// Throws InputError where the pattern, given as `key`, fits none of a model's parameters: a mistake in a
/// name.
void require_fit(const char* key, const std::string& pattern, const std::vector<std::string>& parameters);

}  // namespace glidepath
