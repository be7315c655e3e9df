// src/data/own/token_text.cpp - a text as tokens, one for each character.
#include "data/own/token_text.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

constexpr std::size_t kMostText = std::size_t{2} << 30, kMostCharacters = 65536;

std::string text_of(const fs::path& file) {
  std::error_code error;
  const auto bytes = fs::file_size(file, error);
  if (!error && bytes > kMostText)
    throw InputError(fmt::format("{}: has {} bytes, and a text may have {}; make train.bin and val.bin of it",
                                 file.string(), bytes, kMostText));
  std::string text;
  try {
    text = read_file(file, kMostText);
  } catch (const ReadFailed& failure) {
    if (is_trouble_of_the_disk(failure.reason())) throw;
    throw InputError(failure.what());
  }
  if (is_utf8(text)) return text;
  throw InputError(
      fmt::format("{}: is no UTF-8 text; give one, or a folder of train.bin and val.bin", file.string()));
}

/// Of valid UTF-8, from how a character begins.
std::size_t length_of(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

std::uint32_t packed(const std::string& text, std::size_t at, std::size_t length) {
  std::uint32_t character = 0;
  for (std::size_t i = 0; i < length; ++i)
    character = character << 8 | static_cast<unsigned char>(text[at + i]);
  return character;
}

}  // namespace

// Bytes of UTF-8 stand in the order of code points.
TokenText read_token_text(const fs::path& file) {
  const std::string text = text_of(file);
  std::unordered_map<std::uint32_t, std::uint16_t> token_of;
  TokenText result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_of(static_cast<unsigned char>(text[at]));
    if (token_of.emplace(packed(text, at, length), 0).second) {
      result.characters.push_back(text.substr(at, length));
      if (result.characters.size() > kMostCharacters)
        throw InputError(
            fmt::format("{}: has more than {} different characters; make train.bin and val.bin of it",
                        file.string(), kMostCharacters));
    }
    at += length;
  }
  std::sort(result.characters.begin(), result.characters.end());
  for (std::size_t token = 0; token < result.characters.size(); ++token) {
    const std::string& each = result.characters[token];
    token_of[packed(each, 0, each.size())] = static_cast<std::uint16_t>(token);
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_of(static_cast<unsigned char>(text[at]));
    result.tokens.push_back(token_of[packed(text, at, length)]);
    at += length;
  }
  return result;
}

}  // namespace glidepath
