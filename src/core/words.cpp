// src/core/words.cpp - strict reading of numbers, and the nearest known word for error messages.
#include "core/words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "schedule/synonyms.h"

namespace glidepath::words {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<double> number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> count(std::string_view text) {
  return text.empty() || !is_digit(text.front()) ? std::nullopt : whole(text);
}

std::pair<std::string_view, std::string_view> split_number(std::string_view text) {
  std::size_t end = 0;
  if (end < text.size() && (text[end] == '-' || text[end] == '+')) ++end;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  // An exponent only where digits follow: the e of "30ep" is the unit's.
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < text.size() && (text[digits] == '-' || text[digits] == '+')) ++digits;
    if (digits < text.size() && is_digit(text[digits])) {
      while (digits < text.size() && is_digit(text[digits])) ++digits;
      end = digits;
    }
  }
  return {text.substr(0, end), text.substr(end)};
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string scientific_text(double number) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  std::string shortest(text, result.ptr);
  const auto plus = shortest.find("e+");
  if (plus != std::string::npos) shortest.erase(plus + 1, shortest[plus + 2] == '0' ? 2 : 1);  // 2e+15, 2e+09
  return shortest;
}

std::string share_text(double share) {
  for (int digits = 1; digits <= 17; ++digits) {
    const auto percent = number(fmt::format("{:.{}g}", share * 100, digits));
    if (percent && *percent / 100 == share) return number_text(*percent) + "%";
  }
  return number_text(share);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string fitting(const std::vector<std::string>& pieces, std::size_t room) {
  std::string text = pieces.empty() ? "" : pieces.front();
  if (text.size() > room) {
    while (room > 0 && (static_cast<unsigned char>(text[room]) & 0xC0) == 0x80) --room;
    return text.substr(0, room);
  }
  for (std::size_t i = 1; i < pieces.size() && text.size() + pieces[i].size() <= room; ++i) text += pieces[i];
  return text;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  const std::string sought = plain(word);
  std::string best;
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  std::pair<std::size_t, std::size_t> fewest{kMost, kMost};
  for (const std::string& candidate : known) {
    const std::pair edits{edit_distance(sought, plain(candidate)), edit_distance(word, candidate)};
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

void refuse(std::string_view text, const std::string& reason) {
  throw InputError(fmt::format("\"{}\": {}", text, reason));
}

}  // namespace glidepath::words
