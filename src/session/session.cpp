// src/session/session.cpp - a run from its configuration to its result.
#include "session/session.h"

#include <initializer_list>
#include <utility>

#include <torch/types.h>

#include "files/patience.h"
#include "glidepath/error.h"
#include "session/run_result.h"
#include "setup/budget_change.h"

namespace glidepath {
namespace {

// Of many processes rank 0 alone writes.
RunDirectory open_directory(const RunDirectory::Subject& subject, const TrainOptions& options,
                            const Ranks& ranks) {
  if (!ranks.is_first()) return {};
  DiskTrouble trouble(options.on_warning, options.clock);
  RunDirectory run = !options.resume ? RunDirectory::create(options.out, subject, std::move(trouble))
                     : options.resume_from.empty()
                         ? RunDirectory::reopen(options.out, subject, std::move(trouble))
                         : RunDirectory::reopen_to_leave(options.resume_from, subject, std::move(trouble));
  run.set_rescue(options.rescue);
  run.check_checkpoints(check_state);
  return run;
}

}  // namespace

Session::Session(const Experiment& experiment, const TrainOptions& options)
    : experiment_(experiment),
      given_(experiment.model && experiment.config.on_divergence == "rewind"
                 ? copy_of_state(*experiment.model)
                 : TensorMap()),
      run_(experiment_, options),
      updater_(run_.config, run_.plan, run_.ranks, run_.data.watch, *run_.model, *run_.task, *run_.optimizer,
               run_.options.on_warning),
      callbacks_(run_, experiment_.callbacks),
      loop_(run_, updater_, callbacks_.in_order),
      kept_model_(*run_.model, *run_.optimizer),
      kept_generators_(run_.plan.device),
      kept_glide_(run_) {
  list_kept_parts();
  if (run_.rewinds_on_divergence()) {
    rewinds_.step = 0;
    callbacks_.evaluator.set_after([this] { keep_state_to_go_back_to(); });
  }
  if (Measurer* instruments = callbacks_.measures.instruments()) {
    updater_.set_hook([this, instruments](UpdateGradients update) {
      update.next_batch = [this]() -> const Batch& { return run_.feed.peek(); };
      instruments->after_backward(update);
    });
  }
  if (run_.sizes.vary()) run_.feed.set_image_size(run_.sizes.by_step(run_.glide));
  tell_of_data();
  run_.log.open(open_directory({experiment.config, run_.data.record, names_of_classes(run_.data.set)},
                               run_.options, run_.ranks));
  if (options.resume && run_.ranks.is_first()) resume();
  share_state();
  callbacks_.branch.set_step(
      branch_step(run_.config, run_.context, run_.glide.state().budget, run_.glide.updates()));
  callbacks_.recorder.plan();
}

// In the order in which they are read back: the glide before what asks it, sizes of images before batches.
void Session::list_kept_parts() {
  for (Stateful* part : std::initializer_list<Stateful*>{
           &kept_glide_, &kept_model_, &run_.tally, &updater_, &kept_generators_, &callbacks_.evaluator,
           &callbacks_.averager, &callbacks_.recorder, &callbacks_.saver, &callbacks_.measures, &loop_,
           &rewinds_, &run_.sizes, &run_.data.watch, &run_.feed})
    run_.log.keep(*part);
}

// Where a run that waits for data may be stopped, everything that a checkpoint holds is that of the last
// update.
void Session::tell_of_data() {
  run_.data.watch.set_stop([this] { callbacks_.stopper.stop_at_once_if_asked(); });
  if (!run_.options.on_note) return;
  if (!run_.data.set.in_memory()) run_.options.on_note("data: " + told_data(run_.data.set));
  for (const std::string& note : run_.data.set.notes) run_.options.on_note("data: " + note);
}

TrainResult Session::run() {
  try {
    return run_and_recover();
  } catch (const RankFailed& failure) {
    run_.data.watch.tell();
    throw RankFailed(failure.what() + saved_for_later(), failure.exit_status());
  } catch (const DataLost& lost) {
    run_.data.watch.tell();
    // Another rank's message is one that rank 0 hears of, and adds to.
    throw RunError(lost.what() + (run_.ranks.is_first() ? saved_for_later() : ""));
  } catch (const RunError&) {
    run_.data.watch.tell();  // where they are too many, all that are known
    throw;
  }
}

TrainResult Session::run_and_recover() {
  has_begun_ = true;
  while (true) {
    try {
      loop_.run();
      return finish();
    } catch (const Diverged& divergence) {
      recover_from(divergence);  // or gives up
    }
  }
}

TrainResult Session::finish() {
  RunResult result(run_, callbacks_);
  result.set_rewinds(rewinds_.count);
  result.set_skipped_updates(updater_.skipped());
  return result.finish();
}

}  // namespace glidepath
