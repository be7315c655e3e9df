// src/loop/callbacks/saver.cpp - a run's state on disk.
#include "loop/callbacks/saver.h"

#include "core/blame.h"

namespace glidepath {
namespace {

constexpr double kRetrySeconds = 10;

}  // namespace

void BranchKeeper::act(RunView& /*view*/) {
  if (!run_.is_finite()) return;
  const Saved saved = run_.log.content();
  run_.log.directory().save_branch(saved.tensors, saved.state);
}

Saver::Saver(Run& run, EndingCost& ending)
    : run_(run), ending_(ending), cadence_(blame("checkpoint_every", [&] {
        return Cadence(parse_budget(run.config.checkpoint_every), run.context);
      })) {
  last_.seconds = run.stopwatch.started();
}

bool Saver::is_due(RunView& /*view*/) {
  if (run_.glide.step() == last_.step) return false;
  const double now = run_.ranks.now();
  return now >= retry_at_ || cadence_.is_due(moment(now), last_);
}

void Saver::act(RunView& /*view*/) {
  if (run_.is_finite()) save_now();
}

bool Saver::save_now() {
  const double begun = run_.ranks.now();
  const Saved saved = run_.log.content();
  const bool well = run_.ranks.agree(run_.log.directory().save_checkpoint(saved.tensors, saved.state));
  const double ended = run_.ranks.now();
  last_ = moment(ended);
  ending_.writing_took(ended - begun);
  retry_at_ = well ? std::numeric_limits<double>::infinity() : ended + kRetrySeconds;
  return well;
}

void Saver::load(const Saved&) { last_ = moment(run_.ranks.now()); }

}  // namespace glidepath
