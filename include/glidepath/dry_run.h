// include/glidepath/dry_run.h - what a run would do and cost, from a few of its updates.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "glidepath/train.h"

namespace glidepath {

struct DryRun {
  std::int64_t updates = 0;  ///< of the budget; an estimate where a clock decides
  std::int64_t steps_per_epoch = 0;
  double epochs = 0;
  double seconds = 0;   ///< expected: starting, updates, every evaluation; the budget where it is a clock's
  std::string ends_at;  ///< that much from now, 2026-12-01T05:00:00Z
  double flops = 0;     ///< forward + backward of every update
  double peak_memory_mib = 0;  ///< largest resident set so far: loading, some updates, an evaluation batch
  /// At progress 0, 0.25, 0.5, 0.75 and 1; empty for plateau, whose rates follow the loss.
  std::vector<double> learning_rates;
  double base_lr = 0, weight_decay = 0;  ///< as the run has them: TrainConfig's, scaled by its budget
  double update_seconds = 0;             ///< median of those measured
  double evaluation_seconds = 0;         ///< of the whole test set, from one batch
  std::int64_t measured_updates = 0;
  std::string advice;  ///< where the budget buys too few updates: what would make more; or empty
};

/// Makes up to 10 updates (fewer where they take longer than 5 s together) and part of an evaluation, and
/// writes nothing. Throws as train() does; of the options it uses the clocks,
/// seconds_before, and on_status after each update.
DryRun dry_run(const TrainConfig& config, const TrainOptions& options = {});

}  // namespace glidepath
