// src/train/train.cpp - train(), and what programs do around it.
#include "glidepath/train.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "train/process_clock.h"
#include "train/trainer.h"

namespace glidepath {

TrainResult train(const TrainConfig& config, const TrainOptions& options) {
  check_config(config);
  TrainOptions with_clock = options;
  if (!with_clock.clock) with_clock.clock = budget_clock_seconds;
  return Trainer(config, with_clock).run();
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2000 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace glidepath
