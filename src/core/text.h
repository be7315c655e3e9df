// src/core/text.h - strict numbers, and the known word nearest to a mistyped one.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace glidepath::core {

/// A number and what follows it: "1.5ep" is {1.5, "ep"}.
struct NumberAndRest {
  double number = 0;
  std::string_view rest;
};

/// Reads the finite number that `text` starts with. Throws InputError (the message has no place in front) for
/// text that starts with none, for NaN and infinity, and for a number that a double cannot hold.
NumberAndRest read_number(std::string_view text);

/// Reads all of `text` as one finite number; throws InputError likewise, and for trailing text.
double parse_number(std::string_view text);

/// The text with as few digits as read back to the same number.
std::string number_text(double number);

/// "; did you mean X?" for the word nearest to `text`, or nothing when none is near.
std::string suggestion(std::string_view text, const std::vector<std::string>& known);

}  // namespace glidepath::core
