// src/train/trainer.cpp - the training loop.
#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "core/blame.h"
#include "core/safe_text.h"
#include "distributed/same_on_all.h"
#include "files/patience.h"
#include "glidepath/error.h"
#include "nn/loss.h"
#include "train/rank_facts.h"

namespace glidepath {
namespace {

constexpr double kStatusEverySeconds = 0.1;
constexpr std::int64_t kRecordsPerRun = 100;
constexpr std::int64_t kUpdatesBeforeRate = 3;
constexpr const char* kSameOnAll = "every process of a run has to have the same configuration and data set";

// Of many processes rank 0 alone writes.
RunDirectory open_directory(const RunDirectory::Subject& subject, const TrainOptions& options) {
  if (options.group && options.group->rank() != 0) return {};
  DiskTrouble trouble(options.on_warning, options.clock);
  RunDirectory run = !options.resume ? RunDirectory::create(options.out, subject, std::move(trouble))
                     : options.resume_from.empty()
                         ? RunDirectory::reopen(options.out, subject, std::move(trouble))
                         : RunDirectory::reopen_to_leave(options.resume_from, subject, std::move(trouble));
  run.set_rescue(options.rescue);
  return run;
}

/// Who is told of data that are waited for: of many processes one on each machine, as disks are theirs.
DataWatch::Tell data_news(const TrainOptions& options) {
  if (!options.group || options.group->rank() == 0) return options.on_warning;
  if (options.group->local_rank() != 0 || !options.on_warning) return {};
  return [warn = options.on_warning, name = options.group->name_of(options.group->rank())](
             const std::string& text) { warn(name + ": " + text); };
}

}  // namespace

Trainer::Trainer(const TrainConfig& config, const TrainOptions& options)
    : config_(config),
      options_(options),
      agreement_(options_),
      started_(options_.clock() - options_.seconds_before),
      plan_(plan_compute(config_for_rank(config, options.group.get()))),
      dataset_(placed(
          load_limited(config_for_rank(config, options.group.get()), &data_record_, data_news(options)),
          config, plan_)),
      data_watch_(dataset_, data_news(options)),
      resolution_(train_resolution(config)),
      loader_(dataset_, loader_options(config, plan_, dataset_, options.group.get())),
      batches_(loader_, plan_.device),
      pace_(plan_.device),
      model_(build_model(config, dataset_, plan_)),
      context_(budget_context(config, dataset_, loader_, *model_)),
      flops_of_size_(flops_by_size(config, dataset_, resolution_)),
      budget_(run_budget(config, options_.clock() - started_, options_.wall_clock())),
      agenda_(config, context_, started_),
      optimizer_(make_optimizer(config, named_parameters(*model_))),
      window_(loader_.steps_per_epoch()),
      meter_(blame("budget", [&] { return BudgetMeter(budget_, context_, 0, 0); })),
      schedule_(parse_schedule("const")),
      plateau_(PlateauOptions()),
      rewind_step_(rewinds_on_divergence() ? 0 : -1) {
  // A run that is resumed keeps the schedule of its first budget, whose warm-up a shorter one need not hold.
  if (!options.resume) use_schedule(meter_.updates());
  if (group()) require_same(*group(), rank_facts(config, dataset_, data_record_, plan_), kSameOnAll);
  budget_state_.budget = budget_text(config_);
  budget_state_.schedule_updates = meter_.updates();
  follow_resolution(loader_);
  if (plan_.scales_loss) scaler_.emplace(plan_.device);
  prepare_measures();
  tell_of_data();
  directory_ = open_directory({config, data_record_, names_of_classes(dataset_)}, options_);
  if (plan_.cuda_graphs && !group()) {
    graphs_ = std::make_unique<StepGraphs>(plan_.device, model_->parameters(), options_.on_warning);
  }
  if (options.resume && is_rank_0()) restore();
  if (group()) {
    share_state();
    reducer_ = std::make_unique<GradientReducer>(*group(), model_->parameters());
  }
  agenda_.set_branch_step(branch_step(config_, context_, budget_state_, meter_.updates()));
  const std::int64_t expected = meter_.by_clock() ? context_.steps_per_epoch : meter_.updates();
  record_every_ = std::clamp<std::int64_t>(expected / kRecordsPerRun, 1, context_.steps_per_epoch);
}

void Trainer::use_schedule(std::int64_t updates) {
  schedule_ = schedule_for(config_, context_, updates);
  plateau_ = Plateau(schedule_.plateau().value_or(PlateauOptions()));
}

TrainResult Trainer::run() {
  try {
    return run_and_recover();
  } catch (const RankFailed& failure) {
    tell_corrupt_images();
    throw RankFailed(failure.what() + saved_for_later(), failure.exit_status());
  } catch (const DataLost& lost) {
    tell_corrupt_images();
    // Another rank's message is one that rank 0 hears of, and adds to.
    throw RunError(lost.what() + (is_rank_0() ? saved_for_later() : ""));
  } catch (const RunError&) {
    tell_corrupt_images();  // where they are too many, all that are known
    throw;
  }
}

TrainResult Trainer::run_and_recover() {
  while (true) {
    try {
      return run_to_the_end();
    } catch (const Diverged& divergence) {
      recover_from(divergence);  // or gives up
    }
  }
}

TrainResult Trainer::run_to_the_end() {
  begun_ = true;
  stop_if_asked();
  if (meter_.by_clock() && !trained_) measure_final_cost();
  if (meter_.step() > 0) meter_.tick(seconds_spent());
  agenda_.begin();
  while (!trained_) perform(decide());
  if (last_record_ != meter_.step()) record_updates();
  require_finite_state();
  if (agreement_.rank_0_says(evaluated_step_ != meter_.step()) && (dataset_.has_val() || tests_running()))
    evaluate_now();
  measure_at_the_end();
  return finish();
}

Next Trainer::decide() {
  const Decision decision = agreement_.rank_0_says([this]() -> Decision {
    const double time = now();
    const Next next = agenda_.next(meter_, time, seconds_before_ + time - started_);
    return {next, meter_.progress()};
  });
  if (!is_rank_0()) meter_.follow(decision.progress);
  return decision.next;
}

void Trainer::perform(Next next) {
  switch (next) {
    case Next::kKeepBranch:
      if (state_is_finite()) directory_.save_branch(tensors(), state());
      return;
    case Next::kEvaluate:
      return evaluate_on_the_way();
    case Next::kMeasure:
      return measure_on_the_way();
    case Next::kSave:
      if (state_is_finite()) save_checkpoint();
      return;
    case Next::kTimeEvaluation:
      return measure_evaluation();
    case Next::kUpdate:
      return update_and_record();
    case Next::kLanded:
      trained_ = true;
      return;
  }
}

void Trainer::update_and_record() {
  update();
  if (meter_.step() % record_every_ == 0) {
    record_updates();
    plateau_.observe(meter_.progress(), window_.mean(record_every_).loss);
  }
  report_status(false);
  stop_if_asked();
}

void Trainer::update() {
  const double begun = now();
  if (group() || measurer_) keep_buffers();
  clock_progress_ = meter_.progress();
  const Batch batch = group() ? take_part() : take_batch();
  lr_ = base_lr() * factor_at(meter_.progress());  // that of the last update, should there be no batch
  count_images(batch);
  if (group()) return update_together(batch, begun);
  const auto passes = [this](const Batch& images) { return compute_gradients(images); };
  const BatchLoss computed = graphs_ ? graphs_->run(batch, passes) : passes(batch);
  const std::int64_t count = batch.labels.size(0);
  apply_gradients(count, computed.loss);
  in_update_ = false;
  window_.add(computed.loss, computed.correct, count);
  batches_.prepare_next();
  pace_.update_queued();
  count_update(now() - begun, count);
}

// An overflow of scaled gradients spends an update of the budget and leaves the weights alone.
void Trainer::apply_gradients(std::int64_t images, const torch::Tensor& loss) {
  if (!scaler_ || scaler_->unscale(optimizer_->gradients())) {
    if (measurer_)
      measurer_->after_backward(
          {meter_.step(), images, lr_, [this]() -> const Batch& { return next_batch(); }});
    optimizer_->step(lr_);
  } else if (scaler_->is_exhausted()) {
    in_update_ = false;
    throw Diverged{meter_.step() + 1, lr_, loss.item<double>(), "a gradient, at every loss scale"};
  }
}

Trainer::Passed Trainer::forward(const Batch& batch) {
  optimizer_->drop_gradients();
  Passed passed;
  if (batch.labels.size(0) == 0) return passed;
  const AutocastGuard autocast(plan_);
  passed.logits = model_->forward(batch.images).to(torch::kFloat32);
  passed.loss = cross_entropy(passed.logits, batch.labels, config_.label_smoothing);
  return passed;
}

BatchLoss Trainer::compute_gradients(const Batch& batch) {
  const Passed passed = forward(batch);
  // Before the update, so that the weights that made it are there to be looked at. A GPU is not waited for:
  // there the next record or checkpoint finds it.
  if (plan_.device.is_cpu() && !std::isfinite(passed.loss.item<float>())) {
    throw Diverged{meter_.step() + 1, lr_, passed.loss.item<float>(),
                   first_not_finite(*model_, optimizer_->state(), batch, plan_)};
  }
  (scaler_ ? scaler_->scaled(passed.loss) : passed.loss).backward();
  const torch::NoGradGuard no_grad;
  return {passed.loss.detach(), passed.logits.detach().argmax(1).eq(batch.labels).sum()};
}

void Trainer::count_update(double took, std::int64_t images) {
  meter_.update_done(took);
  // In the first updates memory is taken and kernels are chosen: they say nothing of the rate.
  if (++updates_here_ == kUpdatesBeforeRate + 1) training_seconds_ = images_here_ = 0;
  training_seconds_ += took;
  images_here_ += static_cast<double>(images);
}

void Trainer::require_finite_loss() {
  const double loss = window_.last_loss();
  if (std::isfinite(loss)) return;
  throw Diverged{meter_.step(), lr_, loss, first_not_finite(*model_, optimizer_->state())};
}

// A loss may be finite and the update it makes not: such weights are no good checkpoint. The next update will
// say so; a checkpoint does not, as when it is due may depend on a clock, and where a run diverges must not.
bool Trainer::state_is_finite() {
  return !agreement_.any(!first_not_finite(*model_, optimizer_->state()).empty());
}

void Trainer::require_finite_state() {
  const std::string where = first_not_finite(*model_, optimizer_->state());
  if (agreement_.any(!where.empty())) throw Diverged{meter_.step(), lr_, window_.last_loss(), where};
}

nlohmann::ordered_json Trainer::moment(const char* kind) const {
  return {{"kind", kind},
          {"step", meter_.step()},
          {"epoch", static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch)},
          {"progress", meter_.progress()}};
}

void Trainer::record(const char* kind, double loss, double accuracy) {
  auto line = moment(kind);
  line.update({{"lr", lr_}, {"loss", loss}, {"accuracy", accuracy}, {"seconds", seconds_spent()}});
  directory_.append_metrics(line);
}

void Trainer::record_updates() {
  const auto mean = window_.mean(meter_.step() - last_record_);
  require_finite_loss();
  last_record_ = meter_.step();
  record("train", mean.loss, mean.accuracy);
}

void Trainer::evaluate_now() {
  const DataWatch::MayStop here(data_watch_);
  share_running_statistics();
  const double begun = now();
  evaluation_ = evaluate(
      *model_, dataset_, dataset_.watched(), config_.eval_batch_size, plan_,
      [this] { agree_and_stop_if_asked(); }, group());
  share_corrupt_images();
  evaluated_step_ = meter_.step();
  if (keeps_best()) best_.see(*model_, meter_.step(), evaluation_);
  agenda_.evaluation_takes(now() - begun, meter_);
  record("eval", evaluation_.loss, evaluation_.accuracy);
  if (options_.on_evaluation) options_.on_evaluation(status());
}

// What a clock's budget keeps back: an evaluation, and what the checkpoint that a run begins with tells of
// writing.
void Trainer::measure_final_cost() {
  measure_evaluation();  // warms the caches up
  save_checkpoint();
  estimate_measuring();
  measure_evaluation();
  if (is_rank_0() && meter_.step() == 0 && updates_here_ == 0 &&
      !meter_.clock().has_time_for(0, seconds_spent())) {
    throw RunError(
        fmt::format("budget \"{}\": {:.1f} s went into starting and {:.1f} s are needed for the evaluation "
                    "and the model's "
                    "file at the end, so nothing is left for training; give at least {:.0f}s",
                    config_.budget, seconds_spent(), meter_.clock().kept_back(),
                    std::ceil(2 * (seconds_spent() + meter_.clock().kept_back()))));
  }
}

void Trainer::evaluate_on_the_way() {
  if (rewinds_on_divergence()) require_finite_state();
  evaluate_now();
  agenda_.evaluated(meter_);
  if (!rewinds_on_divergence()) return;
  // Where a diverged run goes back to must not depend on the clock or on signals, or the result would.
  const std::int64_t before = std::exchange(rewind_step_, meter_.step());
  if (!save_checkpoint()) rewind_step_ = before;
}

// One batch tells what the whole test set will cost.
void Trainer::measure_evaluation() {
  const DataWatch::MayStop here(data_watch_);
  const std::int64_t images = dataset_.watched().size();
  const std::int64_t ranks = group() ? group()->size() : 1;
  const std::int64_t count = std::min(config_.eval_batch_size * ranks, images);
  const double begun = now();
  evaluate(
      *model_, dataset_, dataset_.watched().first(count), config_.eval_batch_size, plan_,
      [this] { agree_and_stop_if_asked(); }, group());
  agenda_.evaluation_takes((now() - begun) * static_cast<double>(images) / static_cast<double>(count),
                           meter_);
  measure_ending();
}

void Trainer::agree_and_stop_if_asked() {
  agreement_.agree();
  stop_if_asked();
}

void Trainer::stop_if_asked() {
  if (const int signal = options_.stop_signal ? options_.stop_signal() : 0; signal != 0) stop_for(signal);
}

void Trainer::stop_for(int signal) {
  if (state_is_finite()) directory_.save_checkpoint_somewhere(tensors(), state());
  throw Interrupted(
      directory_.writes()
          ? fmt::format("stopped at update {}; go on with: glidepath train --resume {}", meter_.step(),
                        shell_word(directory_.path().string()))
          : fmt::format("stopped at update {}; nothing was kept, as there was no --out", meter_.step()),
      signal);
}

void Trainer::report_status(bool always) {
  if (!options_.on_status || (!always && now() - last_status_ < kStatusEverySeconds)) return;
  last_status_ = now();
  options_.on_status(status());
}

}  // namespace glidepath
