// src/core/wildcard.h - names that fit a pattern.
#pragma once
#include <string_view>

namespace glidepath {

/// Whether the whole name fits: * stands for any characters, none included, and ? for one.
bool fits_pattern(std::string_view name, std::string_view pattern);

}  // namespace glidepath
