// src/train/measure_plan.h - when a run takes a measure.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/blame.h"
#include "train/measure_text.h"

namespace glidepath {

/// The moments of one measure, the start's and the end's among them. The end's is not counted here: when a
/// clock's budget ends is known once it has.
class MeasurePlan {
 public:
  MeasurePlan(const MeasureItem& item, const BudgetContext& context) {
    if (!item.every) {
      every_progress_ = 1 / static_cast<double>(item.points);
    } else if (item.every->unit == BudgetUnit::kPercent) {
      every_progress_ = item.every->amount / 100;
    } else {
      every_updates_ = blame("measure", [&] { return updates_in(*item.every, context); });
    }
  }
  /// How many moments are due by now: 1 at the start. Several that fall between two updates are one.
  std::int64_t due(std::int64_t step, double progress) const {
    if (every_updates_ > 0) return 1 + step / every_updates_;
    return 1 + static_cast<std::int64_t>(std::floor(progress / every_progress_ + 1e-9));
  }
  /// Moments of a whole run of `updates` updates.
  std::int64_t moments(std::int64_t updates) const {
    const double between = every_updates_ > 0
                               ? static_cast<double>(updates) / static_cast<double>(every_updates_)
                               : std::min(1 / every_progress_, static_cast<double>(updates));
    return 1 + static_cast<std::int64_t>(std::ceil(between - 1e-9));
  }

 private:
  std::int64_t every_updates_ = 0;
  double every_progress_ = 0;
};

/// What a checkpoint keeps of one.
struct MeasureState {
  std::int64_t done = 0;   ///< of the moments, in order
  std::int64_t step = -1;  ///< update of the last one; -1 before the first
};

}  // namespace glidepath
