// src/train/train.cpp - the training loop.
#include "glidepath/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <sys/resource.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <fmt/format.h>
#include <torch/torch.h>

#include "glidepath/budget.h"
#include "glidepath/dataset.h"
#include "glidepath/error.h"
#include "glidepath/loader.h"
#include "glidepath/models.h"
#include "glidepath/schedule.h"
#include "train/budget_meter.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "train/loss_window.h"
#include "train/run_directory.h"
#include "train/sgd.h"

namespace glidepath {
namespace {

constexpr double kStatusEverySeconds = 0.1;
constexpr double kCheckpointEverySeconds = 300;
constexpr std::int64_t kRecordsPerRun = 100;
constexpr std::int64_t kUpdatesBeforeRate = 3;
constexpr double kBackwardPerForward =
    2;  // the usual count: a gradient for the input and one for the weights

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

Dataset load_limited(const TrainConfig& config) {
  Dataset dataset = load_dataset(config.data, config.data_dir);
  const std::int64_t images = dataset.train.labels.size(0);
  if (config.train_limit > images) {
    throw InputError(fmt::format("train_limit \"{}\": {} has {} training images", config.train_limit,
                                 config.data, images));
  }
  if (config.train_limit > 0) {
    dataset.train.images = dataset.train.images.narrow(0, 0, config.train_limit);
    dataset.train.labels = dataset.train.labels.narrow(0, 0, config.train_limit);
  }
  return dataset;
}

std::shared_ptr<Model> build_model(const TrainConfig& config, const Dataset& dataset,
                                   const ComputePlan& plan) {
  torch::manual_seed(config.seed);
  ModelOptions options;
  options.name = config.model;
  options.width = config.width;
  options.stem = config.stem;
  options.classes = dataset.classes;
  options.in_channels = dataset.train.images.size(1);
  options.image_size = dataset.train.images.size(2);
  auto model = make_model(options);
  model->to(plan.device);
  if (plan.channels_last) {
    torch::NoGradGuard no_grad;
    for (auto& parameter : model->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  model->train();
  return model;
}

std::vector<std::pair<std::string, torch::Tensor>> parameters_of(Model& model) {
  std::vector<std::pair<std::string, torch::Tensor>> list;
  for (const auto& item : model.named_parameters()) list.emplace_back(item.key(), item.value());
  return list;
}

TensorMap tensors_of(Model& model) {
  TensorMap tensors;
  for (const auto& item : model.named_parameters()) tensors[item.key()] = item.value().detach();
  for (const auto& item : model.named_buffers()) tensors[item.key()] = item.value();
  return tensors;
}

/// How often to look at the test set: by updates, by progress, or only at the end (both zero).
struct EvaluationPlan {
  std::int64_t every_updates = 0;
  double every_progress = 0;

  EvaluationPlan(const std::string& text, const BudgetContext& context) {
    if (text == "end") return;
    const Budget every = parse_budget(text);
    if (every.unit == BudgetUnit::kPercent) {
      every_progress = every.amount / 100;
    } else {
      every_updates = updates_in(every, context);
    }
  }
  /// How many evaluations are due by now.
  std::int64_t due(std::int64_t step, double progress) const {
    if (every_updates > 0) return step / every_updates;
    return every_progress > 0 ? static_cast<std::int64_t>(std::floor(progress / every_progress + 1e-9)) : 0;
  }
};

class Trainer {
 public:
  Trainer(const TrainConfig& config, const TrainOptions& options);
  TrainResult run();

 private:
  void restore();
  void update();
  void record_updates();
  void evaluate_now();
  void measure_evaluation();
  void save_checkpoint();
  void stop_if_asked();
  void report_status(bool always);
  void require_finite_loss();
  TrainResult finish();
  TrainStatus status();
  nlohmann::ordered_json summary(const TrainResult& result, const std::string& state) const;

  double factor_at(double progress) const {
    return schedule_.plateau() ? plateau_.factor() : schedule_(progress);
  }
  double now() const { return options_.clock ? options_.clock() : steady_seconds(); }
  double seconds_spent() const { return seconds_before_ + now() - started_; }

  TrainConfig config_;
  TrainOptions options_;
  double started_;
  double seconds_before_ = 0;  // of earlier sessions
  ComputePlan plan_;
  Dataset dataset_;
  TrainLoader loader_;
  std::shared_ptr<Model> model_;
  BudgetContext context_;
  Budget budget_;
  EvaluationPlan evaluation_plan_;
  Sgd optimizer_;
  LossWindow window_;
  RunDirectory directory_;
  BudgetMeter meter_;
  Schedule schedule_;
  Plateau plateau_;
  std::int64_t record_every_ = 1;
  std::int64_t last_record_ = 0;
  std::int64_t evaluations_ = 0;
  double lr_ = 0;
  std::int64_t updates_here_ = 0;  // in this session
  double training_seconds_ = 0;    // of this session's updates, the first few left out
  double images_here_ = 0;
  double last_status_ = 0, last_checkpoint_;
  double evaluation_seconds_ = 0;
  Evaluation evaluation_{0, -1};
};

LoaderOptions loader_options(const TrainConfig& config, const ComputePlan& plan, const Dataset& dataset) {
  LoaderOptions options;
  // The field's 4 px at 32, and the same share of other pictures.
  options.crop_padding = std::lround(static_cast<double>(dataset.train.images.size(2)) / 8);
  options.batch_size = config.batch_size;
  options.seed = config.seed;
  options.augment = config.augment;
  options.dtype = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  options.channels_last = plan.channels_last;
  return options;
}

Schedule schedule_for(const TrainConfig& config, const BudgetContext& context, std::int64_t updates) {
  ScheduleContext schedule_context;
  schedule_context.updates = static_cast<double>(updates);
  schedule_context.steps_per_epoch = static_cast<double>(context.steps_per_epoch);
  schedule_context.full_updates = static_cast<double>(updates_in(context.full, context));
  schedule_context.base_lr = config.base_lr;
  return parse_schedule(config.schedule, schedule_context);
}

BudgetContext budget_context(const TrainConfig& config, const TrainLoader& loader, const Model& model) {
  BudgetContext context;
  context.steps_per_epoch = loader.steps_per_epoch();
  context.full = parse_budget(config.full);
  context.flops_per_step =
      model.forward_flops() * (1 + kBackwardPerForward) * static_cast<double>(config.batch_size);
  return context;
}

SgdOptions sgd_options(const TrainConfig& config) {
  return {config.momentum, config.nesterov, config.weight_decay, config.decay_norm_bias};
}

RunDirectory open_directory(const TrainConfig& config, const TrainOptions& options) {
  return options.resume ? RunDirectory::reopen(options.out, config)
                        : RunDirectory::create(options.out, config);
}

// Everything that can be wrong with the input is found before the run directory is touched.
Trainer::Trainer(const TrainConfig& config, const TrainOptions& options)
    : config_(config),
      options_(options),
      started_(options.clock ? options.clock() : steady_seconds()),
      plan_(plan_compute(config)),
      dataset_(load_limited(config)),
      loader_(dataset_, loader_options(config, plan_, dataset_)),
      model_(build_model(config, dataset_, plan_)),
      context_(budget_context(config, loader_, *model_)),
      budget_(parse_budget(config.budget)),
      evaluation_plan_(config.eval_every, context_),
      optimizer_(parameters_of(*model_), sgd_options(config)),
      window_(loader_.steps_per_epoch()),
      meter_(budget_, context_, 0, 0),
      schedule_(schedule_for(config, context_, meter_.updates())),
      plateau_(schedule_.plateau().value_or(PlateauOptions())),
      last_checkpoint_(started_) {
  directory_ = open_directory(config, options);
  if (options.resume && directory_.has_checkpoint()) restore();
  const std::int64_t expected = meter_.by_clock() ? context_.steps_per_epoch : meter_.updates();
  record_every_ = std::clamp<std::int64_t>(expected / kRecordsPerRun, 1, context_.steps_per_epoch);
}

void Trainer::restore() {
  TensorMap saved;
  const RunState state = directory_.load_checkpoint(saved);
  torch::NoGradGuard no_grad;
  const auto copy_into = [&](const std::string& name, torch::Tensor target) {
    const auto found = saved.find(name);
    if (found == saved.end() || found->second.sizes() != target.sizes()) {
      throw InputError(fmt::format("--resume {}: its checkpoint does not fit this model at {}",
                                   options_.out.string(), name));
    }
    target.copy_(found->second);
  };
  for (auto& [name, tensor] : tensors_of(*model_)) copy_into("model." + name, tensor);
  for (auto& [name, tensor] : optimizer_.state()) copy_into("momentum." + name, tensor);
  if (saved.count("loss_window") == 0) copy_into("loss_window", window_.state());
  window_.set_state(saved.at("loss_window"));
  seconds_before_ = state.seconds;
  evaluation_ = {state.test_loss, state.test_accuracy};
  meter_ = BudgetMeter(budget_, context_, state.step, state.seconds);
  last_record_ = state.step;
  evaluations_ = evaluation_plan_.due(state.step, meter_.progress());
  lr_ = state.lr;
  plateau_.set_state(state.plateau);
  loader_.seek(state.step);
  directory_.go_on_from(state);
}

TrainResult Trainer::run() {
  if (meter_.by_clock()) measure_evaluation();
  meter_.tick(seconds_spent());
  while (!meter_.finished()) {
    update();
    if (meter_.step() % record_every_ == 0) record_updates();
    report_status(false);
    stop_if_asked();
    const std::int64_t due = evaluation_plan_.due(meter_.step(), meter_.progress());
    if (due > evaluations_ && !meter_.finished()) {
      evaluations_ = due;
      evaluate_now();
      save_checkpoint();
    } else if (now() - last_checkpoint_ > kCheckpointEverySeconds) {
      save_checkpoint();
    }
    meter_.tick(seconds_spent());
  }
  if (last_record_ != meter_.step()) record_updates();
  evaluate_now();
  return finish();
}

void Trainer::update() {
  const double begun = now();
  lr_ = config_.base_lr * factor_at(meter_.progress());
  const Batch batch = loader_.next();
  const torch::Tensor labels = batch.labels.to(plan_.device, /*non_blocking=*/true);
  optimizer_.drop_gradients();
  torch::Tensor loss, logits;
  {
    const AutocastGuard autocast(plan_);
    logits = model_->forward(batch.images.to(plan_.device, /*non_blocking=*/true)).to(torch::kFloat32);
    loss = torch::nn::functional::cross_entropy(
        logits, labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(config_.label_smoothing));
  }
  loss.backward();
  optimizer_.step(lr_);
  {
    torch::NoGradGuard no_grad;
    window_.add(loss.detach(), logits.detach().argmax(1).eq(labels).sum(), labels.size(0));
  }
  if (plan_.device.is_cpu()) require_finite_loss();
  const double took = now() - begun;
  meter_.update_done(took);
  // In the first updates memory is taken and kernels are chosen: they say nothing of the rate.
  if (++updates_here_ == kUpdatesBeforeRate + 1) training_seconds_ = images_here_ = 0;
  training_seconds_ += took;
  images_here_ += static_cast<double>(labels.size(0));
}

void Trainer::require_finite_loss() {
  const double loss = window_.last_loss();
  if (std::isfinite(loss)) return;
  TrainResult result;
  result.updates = meter_.step();
  result.train_loss = loss;
  directory_.save_summary(summary(result, "diverged"));
  throw RunError(
      fmt::format("diverged: the loss is {} at update {} (lr {:.4g}); give a lower --base-lr, or a warm-up "
                  "such as {}(warmup=5%)",
                  loss, meter_.step(), lr_, config_.schedule.substr(0, config_.schedule.find('('))));
}

void Trainer::record_updates() {
  const auto mean = window_.mean(meter_.step() - last_record_);
  require_finite_loss();
  last_record_ = meter_.step();
  directory_.append_metrics(
      {{"kind", "train"},
       {"step", meter_.step()},
       {"epoch", static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch)},
       {"progress", meter_.progress()},
       {"lr", lr_},
       {"loss", mean.loss},
       {"accuracy", mean.accuracy},
       {"seconds", seconds_spent()}});
}

void Trainer::evaluate_now() {
  const double begun = now();
  evaluation_ = evaluate(*model_, dataset_, dataset_.test, config_.eval_batch_size, plan_);
  evaluation_seconds_ = now() - begun;
  if (meter_.by_clock()) meter_.set_kept_back(1.1 * evaluation_seconds_ + 0.3);
  directory_.append_metrics(
      {{"kind", "eval"},
       {"step", meter_.step()},
       {"epoch", static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch)},
       {"progress", meter_.progress()},
       {"lr", lr_},
       {"loss", evaluation_.loss},
       {"accuracy", evaluation_.accuracy},
       {"seconds", seconds_spent()}});
  if (options_.on_evaluation) options_.on_evaluation(status());
}

// One batch, after one that warms the caches up, tells what the whole test set will cost at the end.
void Trainer::measure_evaluation() {
  const std::int64_t images = dataset_.test.labels.size(0);
  const std::int64_t count = std::min(config_.eval_batch_size, images);
  const Split part{dataset_.test.images.narrow(0, 0, count), dataset_.test.labels.narrow(0, 0, count)};
  evaluate(*model_, dataset_, part, config_.eval_batch_size, plan_);
  const double begun = now();
  evaluate(*model_, dataset_, part, config_.eval_batch_size, plan_);
  const double whole = (now() - begun) * static_cast<double>(images) / static_cast<double>(count);
  meter_.set_kept_back(1.2 * whole + 0.3);
}

void Trainer::save_checkpoint() {
  TensorMap tensors;
  for (const auto& [name, tensor] : tensors_of(*model_)) tensors["model." + name] = tensor;
  for (const auto& [name, tensor] : optimizer_.state()) tensors["momentum." + name] = tensor;
  tensors["loss_window"] = window_.state();
  if (last_record_ != meter_.step()) record_updates();
  directory_.save_checkpoint(tensors, {meter_.step(), seconds_spent(), 0, lr_, evaluation_.loss,
                                       evaluation_.accuracy, plateau_.state()});
  last_checkpoint_ = now();
}

void Trainer::stop_if_asked() {
  const int signal = options_.stop_signal ? options_.stop_signal() : 0;
  if (signal == 0) return;
  save_checkpoint();
  throw Interrupted(
      directory_.writes()
          ? fmt::format("stopped at update {}; go on with: glidepath train --resume {}", meter_.step(),
                        directory_.path().string())
          : fmt::format("stopped at update {}; nothing was kept, as there was no --out", meter_.step()),
      signal);
}

TrainStatus Trainer::status() {
  TrainStatus status;
  const auto mean = window_.mean(50);
  status.step = meter_.step();
  status.updates = meter_.updates();
  status.epoch = static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch);
  status.progress = meter_.progress();
  status.lr = lr_;
  status.loss = mean.loss;
  status.accuracy = mean.accuracy;
  status.test_loss = evaluation_.loss;
  status.test_accuracy = evaluation_.accuracy;
  status.seconds = seconds_spent();
  status.seconds_left = meter_.seconds_left();
  status.images_per_second = training_seconds_ > 0 ? images_here_ / training_seconds_ : 0;
  return status;
}

void Trainer::report_status(bool always) {
  if (!options_.on_status || (!always && now() - last_status_ < kStatusEverySeconds)) return;
  last_status_ = now();
  options_.on_status(status());
}

nlohmann::ordered_json Trainer::summary(const TrainResult& result, const std::string& state) const {
  return {{"status", state},
          {"data", config_.data},
          {"model", config_.model},
          {"schedule", config_.schedule},
          {"budget", config_.budget},
          {"seed", config_.seed},
          {"test_accuracy", result.test_accuracy},
          {"test_loss", result.test_loss},
          {"train_accuracy", result.train_accuracy},
          {"train_loss", std::isfinite(result.train_loss) ? nlohmann::ordered_json(result.train_loss)
                                                          : nlohmann::ordered_json(nullptr)},
          {"updates", result.updates},
          {"steps_per_epoch", context_.steps_per_epoch},
          {"epochs", result.epochs},
          {"last_update_lr", result.last_update_lr},
          {"final_lr", result.final_lr},
          {"spent",
           {{"updates", result.updates},
            {"epochs", result.epochs},
            {"seconds", result.seconds},
            {"flops", result.flops}}},
          {"seconds", result.seconds},
          {"images_per_second", result.images_per_second},
          {"peak_memory_mib", result.peak_memory_mib},
          {"precision", plan_.bf16 ? "bf16" : "fp32"},
          {"channels_last", plan_.channels_last},
          {"threads", plan_.threads},
          {"device", plan_.device.str()}};
}

TrainResult Trainer::finish() {
  report_status(true);
  save_checkpoint();
  directory_.save_model(tensors_of(*model_),
                        {{"format", "pt"}, {"model", config_.model}, {"data", config_.data}});
  const auto mean = window_.mean(context_.steps_per_epoch);
  TrainResult result;
  result.updates = meter_.step();
  result.steps_per_epoch = context_.steps_per_epoch;
  result.epochs = static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch);
  result.test_accuracy = evaluation_.accuracy;
  result.test_loss = evaluation_.loss;
  result.train_loss = mean.loss;
  result.train_accuracy = mean.accuracy;
  result.last_update_lr = lr_;
  result.final_lr = config_.base_lr * factor_at(1);
  result.images_per_second = training_seconds_ > 0 ? images_here_ / training_seconds_ : 0;
  result.flops = context_.flops_per_step * static_cast<double>(meter_.step());
  result.precision = plan_.bf16 ? "bf16" : "fp32";
  result.channels_last = plan_.channels_last;
  result.threads = plan_.threads;
  result.peak_memory_mib = peak_memory_mib();
  result.seconds = seconds_spent();
  directory_.save_summary(summary(result, "done"));
  return result;
}

}  // namespace

TrainResult train(const TrainConfig& config, const TrainOptions& options) {
  check_config(config);
  return Trainer(config, options).run();
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2000 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace glidepath
