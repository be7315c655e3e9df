// src/core/safe_text.h - texts that others wrote (files, stores, folder names), made safe for where they are
// shown.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace glidepath {

/// Without overlong forms, surrogates, and what lies beyond U+10FFFF.
bool is_utf8(std::string_view text);

/// As UTF-8: every byte that is no part of a character becomes U+FFFD.
std::string as_utf8(std::string_view text);

/// The first character that would steer what shows the text, as terminal_text() writes it: control characters
/// (C0, DEL, C1), ends of lines and paragraphs, overrides of the direction of writing. Empty when there is
/// none.
std::string first_control(std::string_view text);

/// What is wrong with a text that is to stand in one line: `must be UTF-8 text`, a control character, more
/// than `most` bytes. Empty when nothing is.
std::string problem_of_line(std::string_view text, std::size_t most);

/// One line for a terminal or a log: what would steer it is shown as \n, \x1b, \u202e, and bytes that are no
/// UTF-8 as \xff.
std::string terminal_text(std::string_view text);

/// One line of UTF-8 without marks of its own: what would steer something becomes a space.
std::string plain_line(std::string_view text);

/// The word of a shell that stands for the text: as it is where that is plain, else in quotes.
std::string shell_word(std::string_view text);

// Each begins with plain_line().

/// Literally, in a paragraph, a heading or a cell of a table: no HTML, no links, no images.
std::string markdown_text(std::string_view text);
/// Literally, in a paragraph or a cell of a table.
std::string latex_text(std::string_view text);
/// Literally, in an element or an attribute in quotes.
std::string html_text(std::string_view text);
/// One field of CSV (RFC 4180). A text that a spreadsheet would compute (= + - @ first, and no number) begins
/// with an apostrophe.
std::string csv_field(std::string_view text);

/// How deep the brackets of a JSON text are, without reading more of it: parsers and what they build may take
/// a level of the stack for each.
std::size_t json_depth(std::string_view text);

}  // namespace glidepath
