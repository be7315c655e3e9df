// src/setup/run_setup.cpp - the parts of a run, made from its configuration.
#include "setup/run_setup.h"

#include <algorithm>
#include <cmath>

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "budget/change.h"
#include "budget/deadline.h"
#include "compute/device_batches.h"
#include "config/auto_augment_text.h"
#include "config/budget_scale.h"
#include "config/by_name_text.h"
#include "config/own_programs.h"
#include "core/blame.h"
#include "core/data_names.h"
#include "core/words.h"
#include "data/images/corrupt_images.h"
#include "data/images/selection.h"
#include "glidepath/error.h"
#include "glidepath/exported_model.h"
#include "glidepath/script_model.h"
#include "nn/resnet.h"
#include "setup/held_out.h"
#include "setup/model_shape.h"

namespace glidepath {
namespace {

// A few per cent of the memory of GPUs that train; the data sets that are held in memory have a fifth of it.
constexpr std::int64_t kMostBytesOnDevice = std::int64_t{1} << 30;

// Keeps the first `count` images; 0 keeps all.
void limit(Split& split, std::int64_t count, const char* key, const std::string& data, const char* which) {
  const std::int64_t images = split.size();
  if (count > images) {
    throw InputError(fmt::format("{} \"{}\": {} has {} {} images", key, count, data, images, which));
  }
  if (count == 0) return;
  if (!split.store) {
    split = split.first(count);
    return;
  }
  split.store = spread_selection(split.store, count);
  split.labels = torch::empty({count}, torch::kInt64);
  auto* labels = split.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) labels[i] = split.store->label(i);
}

void limit_corrupt(Split& split, const std::string& text) {
  const auto [number, unit] = words::split_number(text);
  const double value = words::number(number).value_or(0);
  split.corrupt->set_limit(
      static_cast<std::int64_t>(unit == "%" ? std::ceil(static_cast<double>(split.size()) * value / 100)
                                            : value),
      text);
}

/// Of masks, the side of crops is one of what opening them decided.
void check_crop(const TrainConfig& config) {
  if (config.eval_res != "auto")
    throw InputError(fmt::format("eval_res \"{}\": for image folders alone; masks are tested at their size",
                                 config.eval_res));
  if (config.train_res != "auto" && train_resolution(config).varies())
    throw InputError(
        fmt::format("train_res \"{}\": crops with masks have one size; give one", config.train_res));
}

void set_image_options(Dataset& dataset, const TrainConfig& config) {
  if (data_prefix(config.data) == kSegmentation) return check_crop(config);
  if (dataset.in_memory()) {
    const auto refuse = [&](const char* key, const std::string& text) {
      if (text == "auto") return;
      if (dataset.is_own()) throw InputError(fmt::format("{} \"{}\": for image folders alone", key, text));
      throw InputError(fmt::format("{} \"{}\": for image folders alone; the images of {} are {}x{}", key,
                                   text, config.data, dataset.image_size(), dataset.image_size()));
    };
    refuse("train_res", config.train_res);
    refuse("eval_res", config.eval_res);
    return;
  }
  dataset.image_options = image_options(config);
  limit_corrupt(dataset.train, config.max_corrupt);
  limit_corrupt(dataset.test, config.max_corrupt);
  if (dataset.has_val()) limit_corrupt(dataset.val, config.max_corrupt);
}

/// What follows `prefix` in "prefix:FILE".
std::optional<std::string> behind(const std::string& prefix, const std::string& model) {
  const auto file = model_file(model);
  return file && file->prefix == prefix ? std::optional<std::string>(file->file) : std::nullopt;
}

/// On the plan's device and in its memory format.
std::shared_ptr<Model> arranged(std::shared_ptr<Model> model, const TrainConfig& config,
                                const ComputePlan& plan) {
  model->to(plan.device);
  if (plan.channels_last) {
    at::NoGradGuard no_grad;
    for (torch::Tensor& parameter : model->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  model->train();
  if (!config.freeze.empty()) {
    freeze(*model, parse_names(config.freeze));
    if (config.frozen_norms == "eval") model->hold_frozen_norms();
  }
  return model;
}

}  // namespace

Dataset load_limited(const TrainConfig& config, DataRecord* record,
                     const std::function<void(const std::string&)>& tell) {
  DataChoice choice;
  choice.split = config.split;
  choice.test_on = config.test_on;
  choice.wait_seconds = static_cast<double>(config.data_wait);
  choice.tell = tell;
  choice.context = config.context;
  choice.ignored_label = config.ignored_label;
  choice.flip = config.flip != "none";
  choice.workers = config.workers;
  if (data_prefix(config.data) == kSegmentation && config.train_res != "auto")
    choice.crop = train_resolution(config).at(1);
  return limited(load_dataset(config.data, config.data_dir, choice), config, record);
}

Dataset limited(Dataset dataset, const TrainConfig& config, DataRecord* record) {
  if (record != nullptr) *record = describe_data(dataset);
  hold_out(dataset, config.val);
  keep_fraction(dataset, config.train_fraction, config.seed);
  limit(dataset.train, config.train_limit, "train_limit", config.data, "training");
  limit(dataset.test, config.test_limit, "test_limit", config.data, "test");
  set_image_options(dataset, config);
  if (dataset.task != "classify" && config.test_augment != "none") {
    throw InputError(fmt::format("test_augment \"{}\": for images with a label each, which {} has not",
                                 config.test_augment, config.data));
  }
  const std::int64_t used = dataset.train.size();
  if (config.batch_size > used) {
    throw InputError(fmt::format("batch_size \"{}\": must be at most the {} training images of {}",
                                 config.batch_size, used, config.data));
  }
  return dataset;
}

Dataset placed(Dataset dataset, const TrainConfig& config, const ComputePlan& plan) {
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("data_on_device \"{}\": {}; use auto", config.data_on_device, why));
  };
  const bool forced = config.data_on_device == "true";
  if (!plan.device.is_cuda()) {
    if (forced) refuse("needs a CUDA device");
    return dataset;
  }
  if (!dataset.train.images.defined()) {
    if (forced) refuse(fmt::format("the images of {} are read as they are used", config.data));
    return dataset;
  }
  if (config.auto_augment != "none") {
    if (forced) refuse(fmt::format("auto_augment {} changes images on the CPU", config.auto_augment));
    return dataset;
  }
  const std::int64_t bytes = dataset.train.images.numel() + dataset.test.images.numel() +
                             (dataset.has_val() ? dataset.val.images.numel() : 0);
  if (!forced && (config.data_on_device == "false" || bytes > kMostBytesOnDevice)) return dataset;
  for (Split* split : {&dataset.train, &dataset.test, &dataset.val}) {
    if (!split->images.defined()) continue;
    split->images = split->images.to(plan.device);
    split->labels = split->labels.to(plan.device);
  }
  return dataset;
}

std::optional<std::string> script_file(const std::string& model) { return behind("script:", model); }

std::optional<std::string> exported_file(const std::string& model) { return behind("pt2:", model); }

std::shared_ptr<Model> named_model(const TrainConfig& config, const std::function<ModelOptions()>& built_in) {
  if (const auto file = script_file(config.model)) return script_model(*file);
  if (const auto file = exported_file(config.model)) return exported_model(*file);
  return make_model(built_in());
}

std::shared_ptr<Model> build_model(const TrainConfig& config, const Dataset& dataset,
                                   const ComputePlan& plan) {
  at::manual_seed(config.seed);
  auto model = named_model(config, [&] { return model_options(config, dataset, dataset.image_size()); });
  if (dataset.image_options.eval_size != dataset.image_options.train_size && !model->takes_any_size()) {
    throw InputError(fmt::format("eval_res \"{}\": model {} takes images of one size, that of train_res",
                                 config.eval_res, config.model));
  }
  return arranged(std::move(model), config, plan);
}

std::shared_ptr<Model> new_model(const TrainConfig& config, const Dataset& dataset, const ComputePlan& plan) {
  auto model = build_model(config, dataset, plan);
  const std::int64_t examples = std::min(model->examples_to_begin_with(), dataset.train.size());
  if (examples > 0) {
    const Batch batch = plain_batch(dataset, dataset.train, 0, examples, torch::kFloat32, plan.channels_last);
    model->begin_with(on_device(batch, plan.device).inputs);
  }
  return model;
}

std::shared_ptr<Model> placed(std::shared_ptr<Model> model, const TrainConfig& config,
                              const ComputePlan& plan) {
  at::manual_seed(config.seed);
  return arranged(std::move(model), config, plan);
}

ResolutionSchedule train_resolution(const TrainConfig& config) {
  return ResolutionSchedule::parse(config.train_res == "auto" ? "224" : config.train_res);
}

ImageOptions image_options(const TrainConfig& config) {
  ImageOptions options;
  options.train_size = train_resolution(config).at(1);
  options.eval_size = config.eval_res == "auto" ? options.train_size : std::stoll(config.eval_res);
  options.eval_resize = std::lround(static_cast<double>(options.eval_size) * 256 / 224);  // the field's ratio
  options.exif_orientation = config.exif_orientation;
  options.workers = config.workers;
  return options;
}

std::map<std::int64_t, double> flops_by_size(const TrainConfig& config, const Dataset& dataset,
                                             const ResolutionSchedule& sizes) {
  std::map<std::int64_t, double> flops;
  if (!sizes.varies()) return flops;
  const auto counts_flops = [](const std::string& budget) {
    return parse_budget(budget).unit == BudgetUnit::kFlops;
  };
  const bool by_flops =
      config.deadline.empty() &&
      (counts_flops(config.budget) ||
       (parse_budget(config.budget).unit == BudgetUnit::kPercent && counts_flops(config.full)));
  if (by_flops) {
    throw InputError(
        fmt::format("train_res \"{}\": with a budget in flop, updates must all cost the same; give one "
                    "size, or a budget in updates, epochs or time",
                    config.train_res));
  }
  torch::Generator generator = at::globalContext().defaultGenerator(torch::kCPU);
  const torch::Tensor before = generator.get_state();  // the models made here are no part of the run
  for (const std::int64_t size : sizes.sizes()) {
    ModelOptions options = model_options(config, dataset, dataset.image_size());
    options.stem = wants_imagenet_stem(options) ? "imagenet" : "cifar";  // that of the run's model
    options.image_size = size;
    const auto model = make_model(options);
    if (!model->takes_any_size()) {
      throw InputError(fmt::format("train_res \"{}\": model {} takes images of one size; give one",
                                   config.train_res, config.model));
    }
    flops[size] = model->cost()->both();
  }
  generator.set_state(before);
  return flops;
}

LoaderOptions loader_options(const TrainConfig& config, const ComputePlan& plan, const Dataset& dataset,
                             const Ranks* ranks) {
  LoaderOptions options;
  // The field's 4 px at 32, and the same share of other pictures.
  const auto padding = words::whole(config.crop_padding);  // nothing for "auto"
  options.crop_padding = padding.value_or(std::lround(static_cast<double>(dataset.image_size()) / 8));
  options.crop_reflects = config.crop_fill == "reflect";
  if (options.crop_reflects && !dataset.is_own() && options.crop_padding >= dataset.image_size() &&
      dataset.in_memory())
    throw InputError(
        fmt::format("crop_padding \"{}\": must be below {}, the side of the images, to reflect them",
                    options.crop_padding, dataset.image_size()));
  options.flip = config.flip == "none"          ? Flip::kNone
                 : config.flip == "random"      ? Flip::kRandom
                 : config.flip == "alternating" ? Flip::kAlternating
                                                : Flip::kAuto;
  const AutoAugmentText change = AutoAugmentText::parse(config.auto_augment);
  options.trivial_augment = change.kind == AutoAugmentText::Kind::kTrivial;
  options.rand_operators = change.kind == AutoAugmentText::Kind::kRand ? change.operators : 0;
  options.rand_magnitude = change.magnitude;
  options.batch_size = config.batch_size;
  options.seed = config.seed;
  options.augment = config.augment;
  options.dtype = plan.bf16 ? torch::kBFloat16 : torch::kFloat32;
  options.channels_last = plan.channels_last;
  if (ranks != nullptr) {
    options.rank = ranks->rank();
    options.ranks = ranks->size();
    options.with_previous = config.mixup > 0 || config.cutmix > 0;
  }
  options.pin_memory = plan.device.is_cuda();
  return options;
}

Schedule schedule_for(const TrainConfig& config, const BudgetContext& context, std::int64_t updates) {
  const double base_lr = at_its_budget(config, context.steps_per_epoch).base_lr;
  return schedule_for(config.schedule, base_lr, context, updates);
}

Cost cost_of(Model& model, const Dataset& dataset, const ComputePlan& plan) {
  if (const auto known = model.cost()) return *known;
  constexpr std::int64_t kSome = 4;
  const std::int64_t examples = std::min(kSome, dataset.train.size());
  const Batch batch = on_device(
      plain_batch(dataset, dataset.train, 0, examples, torch::kFloat32, plan.channels_last), plan.device);
  return watched_cost(model, inputs_of(model, batch), examples);
}

BudgetContext budget_context(const TrainConfig& config, const Dataset& dataset, const TrainLoader& loader,
                             const Cost& cost) {
  const std::int64_t images = dataset.train.size();
  const double flops_per_image = cost.both();
  BudgetContext context;
  context.steps_per_epoch = loader.steps_per_epoch();
  context.full = parse_budget(config.full);
  context.flops_per_step = flops_per_image * static_cast<double>(std::min(config.batch_size, images));
  context.flops_per_epoch = flops_per_image * static_cast<double>(images);
  context.tokens_per_step = static_cast<double>(dataset.tokens * std::min(config.batch_size, images));
  context.tokens_per_epoch = static_cast<double>(dataset.tokens * images);
  return context;
}

Budget run_budget(const TrainConfig& config, double spent_seconds, double unix_seconds) {
  if (config.deadline.empty()) {
    return blame("budget",
                 [&] { return resolve_percent(parse_budget(config.budget), parse_budget(config.full)); });
  }
  const double left = parse_deadline(config.deadline) - unix_seconds;
  if (!(left > 0)) {
    throw InputError(
        fmt::format("deadline \"{}\": has passed; give a later --deadline, or a --budget", config.deadline));
  }
  return {BudgetUnit::kSeconds, spent_seconds + left};
}

std::unique_ptr<Optimizer> make_optimizer(const TrainConfig& config, const NamedTensors& parameters) {
  if (!config.lr_until.empty() && config.schedule.rfind("plateau", 0) == 0) {
    throw InputError(
        fmt::format("lr_until \"{}\": rates of plateau follow the loss, so none lands earlier; use "
                    "another schedule",
                    config.lr_until));
  }
  OptimizerOptions options;
  options.name = config.optimizer;
  options.weight_decay = config.weight_decay;
  options.decay_norm_bias = config.decay_norm_bias;
  options.momentum = config.momentum;
  options.nesterov = config.nesterov;
  options.beta1 = config.beta1;
  options.beta2 = config.beta2;
  options.rmsprop_alpha = config.rmsprop_alpha;
  options.eps = words::number(config.eps);  // "auto" is none
  options.muon_momentum = config.muon_momentum;
  options.muon_steps = static_cast<int>(config.muon_steps);
  options.muon_normalised = config.muon_weights == "normalised";
  options.lr_scale = parse_numbers_by_name(config.lr_scale);
  options.lr_until = parse_numbers_by_name(config.lr_until);
  options.weight_decay_of = parse_numbers_by_name(config.weight_decay_of);
  options.optimizer_of = parse_by_name(config.optimizer_of);
  return make_optimizer(options, parameters);
}

}  // namespace glidepath
