// src/study/plan/estimate.h - how much work a run is, before and after the first runs have been timed.
#pragma once
#include <map>
#include <string>

#include "glidepath/study.h"

namespace glidepath {

/// Training images that the budget of `config` buys: a size to order runs by. Exact where the data set's size
/// is known here or, for imagefolder:PATH, can be counted, which is done once in a process; for a clock or a
/// FLOP budget a round guess.
double images_to_train(const TrainConfig& config);

/// Learns seconds from finished runs. Runs that differ in schedule, budget or seed alone cost the same per
/// image.
class TimeEstimate {
 public:
  /// A finished run: seconds of the whole of it, and of its updates alone (loading and evaluation left out).
  void add(const TrainConfig& config, double seconds, double seconds_of_updates);
  /// The same from a run's record; a run that is not done teaches nothing.
  void add(const RunRecord& run);
  bool empty() const { return groups_.empty(); }
  /// Expected seconds of a whole run; that of the nearest known thing when nothing like it has finished.
  double seconds(const TrainConfig& config) const;

 private:
  // Least squares of seconds = start + rate * images; with one budget alone, the rate of the updates.
  struct Sums {
    double runs = 0, images = 0, seconds = 0, seconds_of_updates = 0, images_squared = 0, images_seconds = 0;
    double at(double images) const;
  };
  std::map<std::string, Sums> groups_;
};

}  // namespace glidepath
