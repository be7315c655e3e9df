// src/loop/callbacks/recorder.cpp - a line of the metrics now and then.
#include "loop/callbacks/recorder.h"

#include <algorithm>
#include <cmath>

#include "loop/divergence.h"

namespace glidepath {
namespace {

constexpr std::int64_t kRecordsPerRun = 100;

}  // namespace

void Recorder::plan() {
  const std::int64_t epoch = run_.feed.steps_per_epoch();
  const std::int64_t expected = run_.glide.by_clock() ? epoch : run_.glide.updates();
  every_ = std::clamp<std::int64_t>(expected / kRecordsPerRun, 1, epoch);
}

void Recorder::after_update(RunView& /*view*/) {
  if (run_.glide.step() % every_ != 0) return;
  record();
  run_.glide.observe_loss(run_.tally.mean(every_).loss);
}

void Recorder::at_end(RunView& /*view*/) {
  if (kept_.last != run_.glide.step()) record();
  run_.require_finite();
}

void Recorder::record() {
  const auto mean = run_.tally.mean(run_.glide.step() - kept_.last);
  require_finite_loss();
  kept_.last = run_.glide.step();
  run_.record("train", mean.loss, mean.accuracy);
}

void Recorder::require_finite_loss() const {
  const double loss = run_.tally.last_loss();
  if (std::isfinite(loss)) return;
  throw Diverged{run_.glide.step(), run_.tally.lr(), loss,
                 first_not_finite(*run_.model, run_.optimizer->state())};
}

}  // namespace glidepath
