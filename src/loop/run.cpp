// src/loop/run.cpp - the parts of a run, put together.
#include "loop/run.h"

#include <fmt/format.h>
#include <torch/types.h>

#include "config/budget_scale.h"
#include "config/own_programs.h"
#include "glidepath/error.h"
#include "loop/divergence.h"
#include "setup/budget_change.h"
#include "setup/first_weights.h"
#include "setup/rank_facts.h"
#include "setup/run_setup.h"

namespace glidepath {
namespace {

constexpr std::int64_t kUpdatesOfStatus = 50;
constexpr const char* kSameOnAll = "every process of a run has to have the same configuration and data set";

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

MixingOptions mixing_options(const Experiment& asked, const Dataset& dataset) {
  const TrainConfig& config = asked.config;
  MixingOptions mixing{config.mixup, config.cutmix, config.random_erasing, config.seed};
  const char* key = mixing.mixup > 0     ? "mixup"
                    : mixing.cutmix > 0  ? "cutmix"
                    : mixing.erasing > 0 ? "random_erasing"
                                         : nullptr;
  if (key != nullptr && (asked.task || dataset.is_own())) {
    throw InputError(fmt::format("{} \"{}\": for images and classes of a data set by name alone; set it to 0",
                                 key, config_value(config, key)));
  }
  if (config.auto_augment != "none" && dataset.is_own()) {
    throw InputError(fmt::format("auto_augment \"{}\": for images of a data set by name alone; use none",
                                 config.auto_augment));
  }
  return mixing;
}

Glide first_glide(const Run& run) {
  const double spent = run.seconds_spent();
  run_budget(run.config, spent, run.ranks.unix_seconds());  // a deadline that has passed is said to be one
  GlideOptions options = run.glide_options();
  options.seconds_before = spent;
  if (run.options.resume) options.schedule = "const";
  return Glide(options);
}

// Of a run that is resumed the checkpoint has the weights, of other ranks' rank 0.
std::shared_ptr<Model> first_model(const Experiment& asked, const Run& run) {
  auto model = asked.model ? placed(asked.model, run.config, run.plan)
                           : new_model(run.model_config(), run.data.set, run.plan);
  const auto program = asked.model ? std::nullopt : script_file(run.config.model);
  if (program && run.options.on_note)
    run.options.on_note("model: runs the code that is in " + *program +
                        "; train only programs of people whom you trust");
  if (run.config.init.empty() || run.options.resume || !run.ranks.is_first()) return model;
  const FirstWeights first = load_first_weights(run.config, *model, run.data.set.classes);
  if (run.options.on_note) {
    run.options.on_note(first.told);
    for (const std::string& line : first.tensors) {
      if (run.options.verbose) run.options.on_note("  " + line);
    }
  }
  return model;
}

}  // namespace

std::filesystem::path folder_to_resume(const TrainOptions& options) {
  if (!options.resume) return {};
  return options.resume_from.empty() ? options.out : options.resume_from;
}

Run::Run(const Experiment& asked, const TrainOptions& all_options)
    : config(asked.config),
      ranks(all_options.group, {all_options.clock, all_options.wall_clock, all_options.stop_signal}),
      options(heard(all_options, ranks)),
      stopwatch(ranks.now() - options.seconds_before),
      plan(plan_compute(ranks.config_here(config))),
      data(config, asked.data, all_options, ranks, plan),
      sizes(config, data.set),
      feed(data.set, loader_options(config, plan, data.set, &ranks), mixing_options(asked, data.set),
           plan.device, data.watch),
      model(first_model(asked, *this)),
      task(asked.task ? asked.task : make_task(config, data.set, plan, model)),
      optimizer(make_optimizer(at_its_budget(config, feed.steps_per_epoch()), named_parameters(*model))),
      context(budget_context(config, data.set, feed.loader(), cost_of(*model, data.set, plan))),
      glide(first_glide(*this)),
      option_schedules(config, context, options.resume ? nullptr : &glide),
      tally(context.steps_per_epoch) {
  ranks.require_same(rank_facts(config, data.set, data.record, plan), kSameOnAll);
  const std::string scales = told_budget_scales(config, context.steps_per_epoch);
  if (!scales.empty() && options.on_note) options.on_note(scales);
}

TrainConfig Run::model_config() const {
  return options.resume ? with_programs_of_run(config, folder_to_resume(options)) : config;
}

GlideOptions Run::glide_options() const {
  GlideOptions made;
  made.budget = budget_text(config);
  made.schedule = config.schedule;
  made.base_lr = at_its_budget(config, context.steps_per_epoch).base_lr;
  made.context = context;
  made.clock = nullptr;  // the loop tells the time
  made.wall_clock = [this] { return ranks.unix_seconds(); };
  return made;
}

double Run::epochs() const {
  return static_cast<double>(glide.step()) / static_cast<double>(feed.steps_per_epoch());
}

bool Run::is_finite() const { return !ranks.any(!first_not_finite(*model, optimizer->state()).empty()); }

void Run::require_finite() {
  const std::string where = first_not_finite(*model, optimizer->state());
  if (ranks.any(!where.empty())) throw Diverged{glide.step(), tally.lr(), tally.last_loss(), where};
}

nlohmann::ordered_json Run::moment(const char* kind) const {
  return {{"kind", kind}, {"step", glide.step()}, {"epoch", epochs()}, {"progress", glide.progress()}};
}

void Run::record(const char* kind, double loss, double accuracy, const nlohmann::ordered_json& more) {
  auto line = moment(kind);
  line.update({{"lr", tally.lr()}, {"loss", loss}, {"accuracy", accuracy}, {"seconds", seconds_spent()}});
  line.update(more);
  log.directory().append_metrics(line);
}

void Run::record_evaluation(const Evaluation& tested) {
  auto metrics = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < tested.metrics.size(); ++i) {
    const Metric& metric = task->metrics()[i];
    if (metric.value) metrics[metric.name] = tested.metrics[i];
  }
  record("eval", tested.loss, tested.accuracy, metrics);
}

TrainStatus Run::status(const Evaluation& tested) {
  TrainStatus status;
  const auto mean = tally.mean(kUpdatesOfStatus);
  status.step = glide.step();
  status.updates = glide.updates();
  status.epoch = epochs();
  status.progress = glide.progress();
  status.lr = tally.lr();
  status.loss = mean.loss;
  status.accuracy = mean.accuracy;
  status.test_loss = tested.loss;
  status.test_accuracy = tested.accuracy;
  if (!tested.metrics.empty()) {
    status.score = told_metric(task->metrics().front(), tested.metrics.front());
  }
  status.on_val = data.set.has_val();
  status.seconds = seconds_spent();
  status.seconds_left = glide.seconds_left();
  status.images_per_second = tally.images_per_second();
  return status;
}

}  // namespace glidepath
