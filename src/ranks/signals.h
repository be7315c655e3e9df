// src/ranks/signals.h - signals among the numbers that ranks add up.
#pragma once
#include <algorithm>
#include <functional>

namespace glidepath {

inline constexpr int kSignals = 65;  // numbers of signals, 0 for none

/// Counts the signal that has reached this process.
inline void count_signal(const std::function<int()>& stop_signal, double* counts) {
  if (stop_signal) counts[std::clamp(stop_signal(), 0, kSignals - 1)] = 1;
}

/// The first that has reached any; 0: none.
inline int first_signal(const double* counts) {
  const double* first = std::find_if(counts + 1, counts + kSignals, [](double count) { return count > 0; });
  return first == counts + kSignals ? 0 : static_cast<int>(first - counts);
}

}  // namespace glidepath
