// tests/support/stopped_run.h - runs that are stopped again and again.
#pragma once
#include <csignal>

#include "glidepath/error.h"
#include "glidepath/train.h"

namespace glidepath {

struct StoppedRun {
  TrainResult result;
  int stops = 0;
};

/// Stops the run at every `looks`-th look for a signal and goes on with it until it ends; a run that is
/// stopped more than `most` times, as one is whose end takes more looks, throws Interrupted.
inline StoppedRun train_with_stops(const TrainConfig& config, TrainOptions options, int looks, int most) {
  for (StoppedRun run;; options.resume = true) {
    int looked = 0;
    options.stop_signal = [&] { return ++looked == looks ? SIGTERM : 0; };
    try {
      run.result = train(config, options);
      return run;
    } catch (const Interrupted&) {
      if (++run.stops > most) throw;
    }
  }
}

}  // namespace glidepath
