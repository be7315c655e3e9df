// src/core/text.cpp - strict numbers, and the known word nearest to a mistyped one.
#include "core/text.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <numeric>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath::core {
namespace {

// Letters to insert, remove or replace to turn one word into the other (Levenshtein).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[to.size()];
}

}  // namespace

NumberAndRest read_number(std::string_view text) {
  const std::string_view digits = !text.empty() && text[0] == '-' ? text.substr(1) : text;
  // from_chars would also take "inf" and "nan".
  const bool starts = !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!starts || result.ec == std::errc::invalid_argument) {
    throw InputError(fmt::format("\"{}\" does not start with a number", text));
  }
  if (result.ec != std::errc())
    throw InputError(fmt::format("\"{}\" is outside the range of a number", text));
  return {number, text.substr(static_cast<std::size_t>(result.ptr - text.data()))};
}

double parse_number(std::string_view text) {
  const auto [number, rest] = read_number(text);
  if (!rest.empty()) throw InputError(fmt::format("\"{}\" is not a number: \"{}\" is left over", text, rest));
  return number;
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string suggestion(std::string_view text, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  std::size_t smallest = std::max<std::size_t>(2, text.size() / 3) + 1;
  for (const std::string& word : known) {
    const std::size_t distance = edit_distance(text, word);
    if (distance >= smallest || distance >= word.size()) continue;
    smallest = distance;
    nearest = &word;
  }
  return nearest == nullptr ? std::string() : fmt::format("; did you mean {}?", *nearest);
}

}  // namespace glidepath::core
