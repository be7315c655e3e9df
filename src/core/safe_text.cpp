// src/core/safe_text.cpp - texts that others wrote, made safe for where they are shown.
#include "core/safe_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/words.h"

namespace glidepath {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// The first character of a text.
struct Letter {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool is_valid = false;
};

Letter letter_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0), second = byte(1);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  const bool is_bad = length == 0 || (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  if (is_bad) return {};
  constexpr std::array<unsigned, 5> kFirstBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  Letter letter{first & kFirstBits[length], length, true};
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xC0) != 0x80) return {};
    letter.code = letter.code << 6 | (byte(k) & 0x3F);
  }
  return letter;
}

bool steers(char32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool ends_line = code == 0x2028 || code == 0x2029;
  const bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return is_control || ends_line || turns;
}

std::string shown(char32_t code) {
  if (code == '\n') return "\\n";
  return code < 0x100 ? fmt::format("\\x{:02x}", static_cast<unsigned>(code))
                      : fmt::format("\\u{:04x}", static_cast<unsigned>(code));
}

template <typename Take>
void for_each_letter(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const Letter letter = letter_at(text);
    take(letter, text.substr(0, letter.bytes));
    text.remove_prefix(letter.bytes);
  }
}

/// plain_line() with some characters replaced.
template <typename Replace>
std::string replaced(std::string_view text, const Replace& replacement) {
  std::string result;
  for (const char c : plain_line(text)) result += replacement(c);
  return result;
}

bool is_plain_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=+,@%";
  return !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
}

/// Spreadsheets take a field that begins so for a formula, the wide forms of East Asia too.
bool begins_formula(std::string_view text) {
  for (const std::string_view first : {"=", "+", "-", "@", "＝", "＋", "－", "＠"}) {
    if (text.substr(0, first.size()) == first) return true;
  }
  return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
  bool is_valid = true;
  for_each_letter(text, [&](const Letter& letter, std::string_view) { is_valid &= letter.is_valid; });
  return is_valid;
}

std::string as_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for_each_letter(text, [&](const Letter& letter, std::string_view bytes) {
    result += letter.is_valid ? bytes : kReplacement;
  });
  return result;
}

std::string first_control(std::string_view text) {
  std::string first;
  for_each_letter(text, [&](const Letter& letter, std::string_view) {
    if (first.empty() && letter.is_valid && steers(letter.code)) first = shown(letter.code);
  });
  return first;
}

std::string problem_of_line(std::string_view text, std::size_t most) {
  if (text.size() > most) return fmt::format("has {} bytes; give at most {}", text.size(), most);
  if (!is_utf8(text)) return "must be UTF-8 text";
  const std::string control = first_control(text);
  return control.empty() ? "" : fmt::format("holds the control character {}; leave it out", control);
}

std::string terminal_text(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for_each_letter(text, [&](const Letter& letter, std::string_view bytes) {
    if (!letter.is_valid) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes.front()));
    } else if (steers(letter.code)) {
      line += shown(letter.code);
    } else {
      line += bytes;
    }
  });
  return line;
}

std::string plain_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for_each_letter(text, [&](const Letter& letter, std::string_view bytes) {
    line += !letter.is_valid ? kReplacement : steers(letter.code) ? " " : bytes;
  });
  return line;
}

std::string shell_word(std::string_view text) {
  if (is_plain_word(text)) return std::string(text);
  const bool is_ascii_quotable = is_utf8(text) && first_control(text).empty();
  std::string word = is_ascii_quotable ? "'" : "$'";
  for_each_letter(text, [&](const Letter& letter, std::string_view bytes) {
    if (is_ascii_quotable) {
      word += bytes == "'" ? "'\\''" : bytes;
    } else if (!letter.is_valid || steers(letter.code)) {
      for (const char c : bytes) word += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      if (bytes == "'" || bytes == "\\") word += '\\';
      word += bytes;
    }
  });
  return word + "'";
}

std::string markdown_text(std::string_view text) {
  constexpr std::string_view kMarks = "\\`*_{}[]<>#!|~$&";
  std::string result =
      replaced(text, [&](char c) { return (kMarks.find(c) != kMarks.npos ? "\\" : "") + std::string(1, c); });
  // GitHub makes a link of what looks like an address.
  for (const std::string_view mark : {"://", "www."}) {
    const std::string apart = std::string(mark.substr(0, mark.find_first_of("/."))) + "\\" +
                              std::string(mark.substr(mark.find_first_of("/.")));
    for (auto at = result.find(mark); at != result.npos; at = result.find(mark, at + apart.size()))
      result.replace(at, mark.size(), apart);
  }
  return result;
}

std::string latex_text(std::string_view text) {
  return replaced(text, [](char c) -> std::string {
    switch (c) {
      case '%':
      case '_':
      case '#':
      case '&':
      case '$':
      case '{':
      case '}':
        return {'\\', c};
      case '[':  // and the star: arguments of the \\ before them
      case ']':
      case '*':
        return {'{', c, '}'};
      case '\\':
        return "\\textbackslash{}";
      case '~':
        return "\\textasciitilde{}";
      case '^':
        return "\\textasciicircum{}";
      default:
        return {c};
    }
  });
}

std::string html_text(std::string_view text) {
  return replaced(text, [](char c) -> std::string {
    switch (c) {
      case '&':
        return "&amp;";
      case '<':
        return "&lt;";
      case '>':
        return "&gt;";
      case '"':
        return "&quot;";
      case '\'':
        return "&#39;";
      default:
        return {c};
    }
  });
}

std::string csv_field(std::string_view text) {
  std::string field = plain_line(text);
  if (begins_formula(field) && !words::number(field)) field.insert(field.begin(), '\'');
  if (field.find_first_of(",;\"") == field.npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

std::size_t json_depth(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && (c == '{' || c == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_text && (c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace glidepath
