// include/glidepath/budget_state.h - where a schedule is, and the budgets it had: what checkpoints keep of
// it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "glidepath/replan.h"

namespace glidepath {

/// A budget that was changed while it was being spent.
struct BudgetChange {
  std::int64_t step = 0;          ///< updates made when it was changed
  std::string from, to;           ///< budgets as text
  std::string how;                ///< re-anneal or rewind
  std::int64_t went_back_to = 0;  ///< the update that training went on from: `step` with re-anneal
};

/// Progress under a clock: evenly from `origin_progress`, at `origin_seconds` spent, to the end. Zeros until
/// the first update.
struct ClockState {
  double progress = 0;
  double origin_progress = 0;
  double origin_seconds = 0;
  bool begun = false;
};

/// Seconds that an update takes: of late, as a running mean, and the least that this mean was. Zeros until it
/// is known.
struct UpdatePace {
  double now = 0, best = 0;
};

/// Where a schedule is, for a checkpoint.
struct BudgetState {
  std::string budget;                 ///< as text; "until ..." for a deadline
  std::int64_t schedule_updates = 0;  ///< what the schedule's counts (warmup=500it) refer to; 0 by the clock
  ProgressOrigin origin;              ///< of a budget in updates
  ClockState clock;                   ///< of a budget in time
  std::vector<BudgetChange> changes;
};

}  // namespace glidepath
