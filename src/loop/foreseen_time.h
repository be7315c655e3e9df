// src/loop/foreseen_time.h - how long many batches will take, told from a few.
#pragma once
#include <algorithm>
#include <vector>

#include "glidepath/budget_state.h"

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

/// What many batches will take, told from a few of them. Where other processes have the cores a few tell
/// little: the middle of three was from a quarter to three times of what all then took on average. Updates
/// are slowed by the same processes and there are many, so they say how much slower it can be.
class ForeseenTime {
 public:
  /// Measured just now, at this pace of updates.
  double foresee(double measured, const UpdatePace& pace) {
    if (!(pace.now > 0) || !(calm_ > 0)) return calm_ = measured;  // nothing to compare with yet
    if (!(calm_pace_ > 0)) calm_pace_ = pace.best;
    if (pace.now <= calm_pace_) {
      calm_pace_ = pace.now;
      return calm_ = measured;
    }
    const double slowed = calm_ * pace.now / calm_pace_;
    return std::clamp(measured, slowed / kOff, slowed * kOff);
  }

 private:
  // Evaluating need not be slowed as updates are: images may have grown since, or the disk be slow.
  static constexpr double kOff = 2;
  double calm_ = 0, calm_pace_ = 0;
};

}  // namespace glidepath
