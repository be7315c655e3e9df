// src/config/by_name_text.h - values for parameters whose names fit patterns, as text: fc.*=10,conv1.*=0.1.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace glidepath {

/// Pattern and value of each, in their order; "" is none. Patterns have letters, digits and . _ - * ?.
/// Throws InputError: the text, what is wrong, and what would be right.
std::vector<std::pair<std::string, std::string>> parse_by_name(const std::string& text);
/// Likewise, where values are numbers of at least 0.
std::vector<std::pair<std::string, double>> parse_numbers_by_name(const std::string& text);

/// Patterns alone, "conv1.*,layer1.*", in their order.
std::vector<std::string> parse_names(const std::string& text);
std::string canonical_names(const std::string& text);

/// The shortest text that is read back to the same.
std::string canonical_by_name(const std::string& text);
std::string canonical_numbers_by_name(const std::string& text);
/// Numbers in (0, 1].
std::string canonical_shares_by_name(const std::string& text);

}  // namespace glidepath
