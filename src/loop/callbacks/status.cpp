// src/loop/callbacks/status.cpp - what people watch.
#include "loop/callbacks/status.h"

#include <fmt/format.h>

#include "setup/few_updates.h"

namespace glidepath {
namespace {

constexpr double kEverySeconds = 0.1;
// A factor this far above the schedule's end is no landing; docs/reliability.md promises less.
constexpr double kLanded = 0.02;

}  // namespace

// By a clock it is known in the end.
void Status::on_start(RunView& /*view*/) {
  if (run_.glide.step() == 0 && !run_.glide.by_clock())
    warn(few_updates_advice(run_.config, run_.glide.updates()));
}

void Status::after_update(RunView& /*view*/) {
  if (run_.options.on_status && run_.ranks.now() - last_ >= kEverySeconds) tell();
}

void Status::at_end(RunView& /*view*/) {
  tell();
  warn_if_not_landed();
  if (run_.glide.by_clock() && run_.tally.updates_here() > 0)
    warn(few_updates_advice(run_.config, run_.glide.step()));
}

void Status::warn(const std::string& what) const {
  if (run_.options.on_warning && !what.empty()) run_.options.on_warning(what);
}

void Status::tell() {
  if (!run_.options.on_status) return;
  last_ = run_.ranks.now();
  run_.options.on_status(run_.status(evaluator_.last()));
}

// Only a clock can end a run before its schedule does: a machine that stood still in the last update.
void Status::warn_if_not_landed() const {
  const Glide& glide = run_.glide;
  if (!glide.by_clock() || glide.schedule().plateau() || run_.tally.updates_here() == 0) return;
  if (run_.tally.lr() <= glide.final_lr() + kLanded * glide.base_lr()) return;
  warn(fmt::format(
      "the budget {} was over before the schedule had landed: the last of {} updates used lr {:.4g}, "
      "not {:.4g}; give more time (an evaluation takes {:.1f} s, and --dry-run says what a budget buys)",
      glide.budget(), glide.step(), run_.tally.lr(), glide.final_lr(), ending_.evaluation()));
}

}  // namespace glidepath
