// src/config/auto_augment_text.h - random changes of training images as text: trivial, rand(2,9).
#pragma once
#include <string>

namespace glidepath {

struct AutoAugmentText {
  enum class Kind { kNone, kTrivial, kRand } kind = Kind::kNone;
  int operators = 2;      ///< [1, 14], of kRand, as is the next
  int magnitude = 9;      ///< [0, 30]
  std::string canonical;  ///< what every spelling shares

  /// Throws InputError for a text that is none of these, or a number out of range.
  static AutoAugmentText parse(const std::string& text);
};

}  // namespace glidepath
