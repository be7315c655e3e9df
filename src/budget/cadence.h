// src/budget/cadence.h - how often something is done in a run: the one place that says when it is due.
#pragma once
#include <cstdint>

#include "glidepath/budget.h"

namespace glidepath {

/// Where a run is, for whoever is due now and then.
struct Moment {
  std::int64_t step = 0;  ///< updates made
  double progress = 0;    ///< in [0, 1]
  double seconds = 0;     ///< on a clock that never goes back
};

/// Every so many updates, share of the budget, or seconds. Several moments that fall between two updates are
/// one.
class Cadence {
 public:
  /// Never.
  Cadence() = default;
  /// Epochs, operations and the like count as the updates they come to. Throws InputError where `context`
  /// lacks what they need.
  Cadence(const Budget& every, const BudgetContext& context);
  /// At progress 1 / points, 2 / points and so on.
  static Cadence points(std::int64_t points);

  /// 0 where it is not by updates.
  std::int64_t every_updates() const { return every_updates_; }
  /// Whole intervals that have passed: 0 until the first one has, and 0 for seconds.
  std::int64_t passed(std::int64_t step, double progress) const;
  /// Whether one has ended since `last`.
  bool is_due(const Moment& now, const Moment& last) const;
  /// Moments within a run of so many updates, its start and its end among them; 1 for seconds and never.
  std::int64_t moments(std::int64_t updates) const;
  /// Moments within such a run alone: neither at its start nor at its end.
  double moments_between(double updates) const;

 private:
  std::int64_t every_updates_ = 0;
  double every_progress_ = 0, every_seconds_ = 0;  // of these three one at most is above 0
};

}  // namespace glidepath
