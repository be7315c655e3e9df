// src/loop/middle_time.h - how long something takes, told from a few times that it was done.
#pragma once
#include <algorithm>
#include <vector>

namespace glidepath {

/// Batches that are timed where the time of many is to be foreseen: one that another process held up would
/// be taken for all of them.
constexpr int kTimedBatches = 3;

/// The middle one of the durations between moments in order; of two the shorter, 0 of none.
inline double middle_between(const std::vector<double>& moments) {
  std::vector<double> durations;
  for (std::size_t i = 1; i < moments.size(); ++i) durations.push_back(moments[i] - moments[i - 1]);
  if (durations.empty()) return 0;
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>((durations.size() - 1) / 2);
  std::nth_element(durations.begin(), middle, durations.end());
  return *middle;
}

}  // namespace glidepath
