// bench/timing.h - how long something takes, and what is in the middle of several times.
#pragma once
#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

inline double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

inline double milliseconds_of(const std::function<void()>& work) { return 1e3 * seconds_of(work); }

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}
