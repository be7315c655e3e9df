// src/schedule/synonyms.h - what users of other programs call things: for hints in error messages.
#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glidepath::words {

/// Letters and digits alone, in lower case: "learningrate" for --learning_rate.
std::string plain(std::string_view word);

struct Synonym {
  std::string_view word;   ///< as plain() gives it
  std::string_view meant;  ///< what it is called here
};

/// What a word is called here, however it is spelled; nothing where nobody calls anything so.
std::optional<std::string_view> meant_by(std::string_view word, const std::vector<Synonym>& synonyms);

/// As meant_by(), or else the known word that is nearest.
std::string suggestion(std::string_view word, const std::vector<std::string>& known,
                       const std::vector<Synonym>& synonyms);

/// A train option by the name that another program has for it.
struct OptionHint {
  std::string key;      ///< "budget"
  std::string example;  ///< "30ep", what to give for it; empty where the name alone says it
};

/// `value` is what was given, if anything: --epochs 90 is --budget 90ep. Keys of this program's own flags are
/// among them (out, resume, dry_run). Nothing for a name that no other program is known to have.
std::optional<OptionHint> option_elsewhere(std::string_view name, std::string_view value = {});

}  // namespace glidepath::words
