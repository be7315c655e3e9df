// src/loop/session.cpp - a run from its configuration to its result.
#include "loop/session.h"

#include <initializer_list>
#include <utility>

#include <torch/types.h>

#include "core/blame.h"
#include "files/patience.h"
#include "glidepath/error.h"
#include "loop/budget_change.h"
#include "loop/rank_facts.h"
#include "loop/run_result.h"
#include "loop/run_setup.h"

namespace glidepath {
namespace {

constexpr const char* kSameOnAll = "every process of a run has to have the same configuration and data set";

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
  return run;
}

/// Ranks but 0 tell nobody anything.
TrainOptions heard(TrainOptions options, const Ranks& ranks) {
  if (ranks.is_first()) return options;
  options.on_status = nullptr;
  options.on_evaluation = nullptr;
  options.on_warning = nullptr;
  options.on_note = nullptr;
  options.on_budget_change = nullptr;
  options.seconds_before = 0;
  return options;
}

GlideOptions glide_options(const TrainConfig& config, const BudgetContext& context, const Ranks& ranks) {
  GlideOptions options;
  options.budget = budget_text(config);
  options.schedule = config.schedule;
  options.base_lr = config.base_lr;
  options.context = context;
  options.clock = nullptr;  // the loop tells the time
  options.wall_clock = [&ranks] { return ranks.unix_seconds(); };
  return options;
}

/// Of a new run. One that is resumed keeps the schedule of its first budget, whose warm-up a shorter one need
/// not hold: until its checkpoint is read it has none.
Glide first_glide(const TrainConfig& config, const BudgetContext& context, const Ranks& ranks, double spent,
                  bool resume) {
  run_budget(config, spent, ranks.unix_seconds());  // a deadline that has passed is said to be one
  GlideOptions options = glide_options(config, context, ranks);
  options.seconds_before = spent;
  if (resume) options.schedule = "const";
  return Glide(options);
}

}  // namespace

Session::Session(const TrainConfig& config, const TrainOptions& options)
    : config_(config),
      ranks_(options.group, {options.clock, options.wall_clock, options.stop_signal}),
      options_(heard(options, ranks_)),
      stopwatch_(ranks_.now() - options_.seconds_before),
      plan_(plan_compute(ranks_.config_here(config))),
      data_(config, options, ranks_, plan_),
      sizes_(config, data_.set),
      feed_(data_.set, loader_options(config, plan_, data_.set, &ranks_), plan_.device, data_.watch),
      model_(build_model(config, data_.set, plan_)),
      optimizer_(make_optimizer(config, named_parameters(*model_))),
      context_(budget_context(config, data_.set, feed_.loader(), *model_)),
      glide_(first_glide(config, context_, ranks_, stopwatch_.spent(ranks_.now()), options.resume)),
      tally_(context_.steps_per_epoch),
      run_{config_,     options_, ranks_, plan_, data_.set, data_.watch, *model_,
           *optimizer_, glide_,   sizes_, feed_, tally_,    log_,        stopwatch_},
      updater_(config, plan_, ranks_, data_.watch, *model_, *optimizer_, options_.on_warning),
      callbacks_(run_, context_),
      loop_(run_, updater_, callbacks_.in_order),
      kept_model_(*model_, *optimizer_),
      kept_generators_(plan_.device),
      kept_glide_({glide_, sizes_, feed_, ranks_, stopwatch_}, glide_options(config, context_, ranks_)) {
  ranks_.require_same(rank_facts(config, data_.set, data_.record, plan_), kSameOnAll);
  if (run_.rewinds_on_divergence()) {
    rewinds_.step = 0;
    callbacks_.evaluator.set_after([this] { keep_state_to_go_back_to(); });
  }
  for (Stateful* part : std::initializer_list<Stateful*>{
           &kept_glide_, &kept_model_, &tally_, &updater_, &kept_generators_, &callbacks_.evaluator,
           &callbacks_.recorder, &callbacks_.saver, &callbacks_.measures, &loop_, &rewinds_, &sizes_,
           &data_.watch, &feed_})
    log_.keep(*part);
  if (Measurer* instruments = callbacks_.measures.instruments()) {
    updater_.set_hook([this, instruments](UpdateGradients update) {
      update.next_batch = [this]() -> const Batch& { return feed_.peek(); };
      instruments->after_backward(update);
    });
  }
  if (sizes_.vary()) feed_.set_image_size(sizes_.by_step(glide_));
  tell_of_data();
  log_.open(open_directory({config, data_.record, names_of_classes(data_.set)}, options_, ranks_));
  if (options.resume && ranks_.is_first()) resume();
  share_state();
  callbacks_.branch.set_step(branch_step(config_, context_, glide_.state().budget, glide_.updates()));
  callbacks_.recorder.plan();
}

// Where a run that waits for data may be stopped, everything that a checkpoint holds is that of the last
// update.
void Session::tell_of_data() {
  data_.watch.set_stop([this] { callbacks_.stopper.stop_at_once_if_asked(); });
  if (data_.set.in_memory() || !options_.on_note) return;
  options_.on_note("data: " + told_data(data_.set));
  for (const std::string& note : data_.set.notes) options_.on_note("data: " + note);
}

TrainResult Session::run() {
  try {
    return run_and_recover();
  } catch (const RankFailed& failure) {
    data_.watch.tell();
    throw RankFailed(failure.what() + saved_for_later(), failure.exit_status());
  } catch (const DataLost& lost) {
    data_.watch.tell();
    // Another rank's message is one that rank 0 hears of, and adds to.
    throw RunError(lost.what() + (ranks_.is_first() ? saved_for_later() : ""));
  } catch (const RunError&) {
    data_.watch.tell();  // where they are too many, all that are known
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
  RunResult result(run_, callbacks_, context_, data_.record);
  result.set_rewinds(rewinds_.count);
  result.set_skipped_updates(updater_.skipped());
  return result.finish();
}

}  // namespace glidepath
