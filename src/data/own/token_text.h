// src/data/own/token_text.h - a text as tokens, one for each character.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glidepath {

/// As nanoGPT's prepare.py for characters makes it: the characters that are there, in the order of their code
/// points, are the tokens 0, 1, ...
struct TokenText {
  std::vector<std::string> characters;  ///< by token, in UTF-8
  std::vector<std::uint16_t> tokens;
};

/// Throws InputError naming the file where it is no UTF-8 text, or has more than 65,536 different characters.
TokenText read_token_text(const std::filesystem::path& file);

}  // namespace glidepath
