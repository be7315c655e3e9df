// src/loop/ending_cost.h - what comes after a run's last update, and belongs to its budget all the same.
#pragma once
#include "glidepath/glide.h"

namespace glidepath {

/// Seconds, as they were measured last. A budget in time keeps them back.
class EndingCost {
 public:
  explicit EndingCost(Glide& glide) : glide_(glide) {}

  /// An evaluation of everything that is looked at on the way took, or would take, this long.
  void evaluation_takes(double seconds) {
    evaluation_ = seconds;
    keep_back();
  }
  /// The same, and what the end takes: as long as so many of these evaluations, and other seconds (fresh
  /// statistics). Until it is told, one evaluation. Told at once: a budget that hears of one part before the
  /// other may take the end to have come.
  void ending_takes(double evaluation_seconds, double evaluations, double seconds) {
    evaluation_ = evaluation_seconds;
    ending_evaluations_ = evaluations;
    ending_seconds_ = seconds;
    keep_back();
  }
  /// Everything that is measured, together.
  void measuring_took(double seconds) {
    measuring_ = seconds;
    keep_back();
  }
  /// The same, estimated; and the last checkpoint. The next of the others tells the budget.
  void measuring_takes(double seconds) { measuring_ = seconds; }
  void writing_took(double seconds) { writing_ = seconds; }

  double evaluation() const { return evaluation_; }
  double measuring() const { return measuring_; }
  double ending() const { return ending_evaluations_ * evaluation_ + ending_seconds_; }

 private:
  // The last checkpoint and the model's file, which is smaller.
  void keep_back() {
    if (glide_.by_clock()) glide_.keep_back({ending() + measuring_, 2 * writing_});
  }

  Glide& glide_;
  double evaluation_ = 0, measuring_ = 0, writing_ = 0;
  double ending_evaluations_ = 1, ending_seconds_ = 0;
};

}  // namespace glidepath
