// src/core/words.h - strict reading of numbers, and the nearest known word for error messages.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glidepath::words {

/// The whole text as a finite number; nothing for "10k", "1e", "", "nan", "inf" and what overflows.
std::optional<double> number(std::string_view text);

/// The whole text as a whole number, with or without a minus.
std::optional<std::int64_t> whole(std::string_view text);

/// Likewise, of digits alone: "-0" is nothing.
std::optional<std::int64_t> count(std::string_view text);

/// Splits "12.5ep" into its number (as text) and what follows it.
std::pair<std::string_view, std::string_view> split_number(std::string_view text);

/// The shortest text that reads back to the same number: 0.9, 1e-05.
std::string number_text(double number);
/// Likewise with an exponent: 2e15.
std::string scientific_text(double number);
/// A share as a percentage that reads back to the same share ("20%"), or as number_text where none does.
std::string share_text(double share);

std::string_view trim(std::string_view text);

/// The first pieces, put together, that fit into so many bytes: a piece is left out whole, with all behind
/// it. Only the first is cut, between characters of UTF-8, where even that one is too long.
std::string fitting(const std::vector<std::string>& pieces, std::size_t room);

/// The known word with the fewest edits to `word`, letters and digits alone and in any case being compared
/// first; ties go to the first.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// Throws InputError: "text": reason.
[[noreturn]] void refuse(std::string_view text, const std::string& reason);

}  // namespace glidepath::words
