// src/schedule/average_text.h - averages of weights as text: ema(10%), lawa(5,2%).
#pragma once
#include <cstdint>
#include <string>

namespace glidepath {

/// See glidepath/weight_average.h. Shares of the budget.
struct AverageText {
  enum class Kind { kNone, kExponential, kLatest } kind = Kind::kNone;
  double horizon = 0.1;     ///< (0, 1]; exponential
  std::int64_t states = 5;  ///< [1, kMostStates]; latest, as is the next
  double apart = 0.02;      ///< (0, 1]
  std::string canonical;    ///< what every spelling shares

  static constexpr std::int64_t kMostStates = 100;
  /// Throws InputError for a text that is no average, or a number out of range.
  static AverageText parse(const std::string& text);
};

}  // namespace glidepath
