// src/train/train.cpp - train(), and what programs do around it.
#include "glidepath/train.h"

#include <chrono>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "train/process_clock.h"
#include "train/trainer.h"

namespace glidepath {

namespace {

TrainOptions with_clocks(TrainOptions options) {
  if (!options.clock) options.clock = budget_clock_seconds;
  if (!options.wall_clock) {
    options.wall_clock = [] {
      return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    };
  }
  return options;
}

}  // namespace

TrainResult train(const TrainConfig& config, const TrainOptions& options) {
  check_config(config);
  return Trainer(config, with_clocks(options)).run();
}

DryRun dry_run(const TrainConfig& config, const TrainOptions& options) {
  check_config(config);
  TrainOptions nothing_written = with_clocks(options);
  nothing_written.out.clear();
  nothing_written.resume = false;
  return Trainer(config, nothing_written).estimate();
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2000 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace glidepath
