// src/loop/callbacks/cost_timer.cpp - what a budget in time keeps back for a run's end.
#include "loop/callbacks/cost_timer.h"

#include <cmath>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {

// The checkpoint that a run begins with tells of writing.
void CostTimer::on_start(RunView& /*view*/) {
  if (!run_.glide.by_clock()) return;
  tester_.time();  // warms the caches up
  saver_.save_now();
  measures_.estimate();
  tester_.time();
  const bool is_new = run_.glide.step() == 0 && run_.tally.updates_here() == 0;
  if (!run_.ranks.is_first() || !is_new || run_.glide.has_time_for(0, run_.seconds_spent())) return;
  throw RunError(
      fmt::format("budget \"{}\": {:.1f} s went into starting and {:.1f} s are needed for the evaluation "
                  "and the model's "
                  "file at the end, so nothing is left for training; give at least {:.0f}s",
                  run_.config.budget, run_.seconds_spent(), run_.glide.seconds_kept_back(),
                  std::ceil(2 * (run_.seconds_spent() + run_.glide.seconds_kept_back()))));
}

}  // namespace glidepath
