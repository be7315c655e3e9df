// src/session/session_recovery.cpp - what a run does when it has diverged: it stops, or goes back.
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>

#include "glidepath/error.h"
#include "session/run_result.h"
#include "session/session.h"

namespace glidepath {
namespace {

constexpr std::int64_t kMostRewinds = 5;

std::string told(const Diverged& divergence) {
  // Weights that are not finite are found before the next loss says so.
  const std::string loss = std::isnan(divergence.loss)   ? "not a number"
                           : std::isinf(divergence.loss) ? "infinite"
                                                         : fmt::format("{}", divergence.loss);
  return fmt::format("diverged: the loss is {} at update {} (lr {:.4g}){}", loss, divergence.update,
                     divergence.lr,
                     divergence.where.empty() ? "" : "; the first that is not finite is " + divergence.where);
}

}  // namespace

void Session::recover_from(const Diverged& divergence) {
  if (!run_.rewinds_on_divergence() || rewinds_.count == kMostRewinds) give_up(divergence);
  if (run_.ranks.is_first()) go_back(divergence);
  share_state();
  callbacks_.saver.save_now();
  if (run_.options.on_warning) {
    run_.options.on_warning(fmt::format("{}; back at update {} with base_lr {:.4g}", told(divergence),
                                        run_.glide.step(), run_.glide.base_lr()));
  }
}

void Session::go_back(const Diverged& divergence) {
  // First the checkpoints that would diverge again: killed from here on, the run comes here again.
  run_.log.directory().remove_checkpoints_after(rewinds_.step);
  Saved back;
  const std::optional<StateMap> found = run_.log.directory().load_checkpoint(back.tensors, rewinds_.step);
  back.state = found ? *found : start_state();
  if (!found) back.tensors = start_tensors();
  auto place = back.state.get<GlidePlace>();
  place.budget = run_.glide.state().budget;  // the time is spent: progress by a clock never falls
  if (!found) place.budget.origin = {};
  back.state.put(place);
  auto rewinds = back.state.get<Rewinds>();
  rewinds.count = rewinds_.count;
  if (!found) rewinds.step = 0;
  back.state.put(rewinds);
  restore(back);
  ++rewinds_.count;
  run_.glide.halve_rate();
  auto line = run_.moment("rewind");
  line.update({{"diverged_at", divergence.update},
               {"first_not_finite", divergence.where},
               {"base_lr", run_.glide.base_lr()},
               {"rewinds", rewinds_.count},
               {"seconds", run_.seconds_spent()}});
  run_.log.directory().append_metrics(line);
}

void Session::give_up(const Diverged& divergence) {
  RunResult result(run_, callbacks_);
  result.set_rewinds(rewinds_.count);
  result.set_skipped_updates(updater_.skipped());
  result.save_diverged(divergence);
  const std::string tried = rewinds_.count > 0
                                ? fmt::format("; base_lr was halved {} times already", rewinds_.count)
                                : ", or --on-divergence rewind";
  throw RunError(fmt::format("{}; give a lower --base-lr, a warm-up (such as linear(warmup=5%)){}",
                             told(divergence), tried));
}

// Where a diverged run goes back to must not depend on the clock or on signals, or the result would.
void Session::keep_state_to_go_back_to() {
  const std::int64_t before = std::exchange(rewinds_.step, run_.glide.step());
  if (!callbacks_.saver.save_now()) rewinds_.step = before;
}

}  // namespace glidepath
