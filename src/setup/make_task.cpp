// src/setup/make_task.cpp - what a run trains for, from its configuration and its data.
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/types.h>

#include "compute/device_batches.h"
#include "config/task_facts.h"
#include "core/blame.h"
#include "glidepath/error.h"
#include "glidepath/examples.h"
#include "glidepath/loader.h"
#include "model/in_mode.h"
#include "model/loss_program.h"
#include "setup/run_setup.h"

namespace glidepath {
namespace {

/// Of one example of the data set: what its targets are.
torch::Tensor first_target(const Dataset& dataset) {
  if (!dataset.is_own()) return torch::zeros({1}, torch::kInt64);  // images have a label each
  const Examples& examples = *dataset.train.examples;
  if (examples.size() == 0) return {};
  const Batch batch = examples.batch({{0}, false, 0, 0});
  return batch.targets.empty() ? torch::Tensor() : batch.targets.front();
}

struct Targets {
  const char* task;
  bool are_whole;             // numbers
  std::int64_t fewest, most;  // dimensions, with the examples'
  const char* wanted;
};

constexpr Targets kTargets[] = {
    {"classify", true, 1, 1, "a class for each example, int64 [N]"},
    {"multilabel", false, 2, 2, "0 or 1 for each class, [N, classes]"},
    {"regress", false, 1, 2, "numbers, float [N] or [N, k]"},
    {"segment", true, 3, 3, "masks of classes, int64 [N, H, W]"},
    {"language", true, 2, 2, "tokens, int64 [N, T]"},
};

void check_targets(const std::string& task, const TrainConfig& config, const Dataset& dataset) {
  const torch::Tensor target = first_target(dataset);
  if (!target.defined())
    throw InputError(fmt::format("data \"{}\": has no targets to train for", config.data));
  for (const Targets& each : kTargets) {
    if (task != each.task) continue;
    const bool is_whole = target.scalar_type() == torch::kInt64;
    if ((is_whole || !each.are_whole) && target.dim() >= each.fewest && target.dim() <= each.most) return;
    throw InputError(fmt::format(
        "task \"{}\": wants {}; the targets of {} are {} [N{}], which is for {}", task, each.wanted,
        config.data, is_whole ? "int64" : "float",
        target.dim() > 1 ? fmt::format(", {}", fmt::join(target.sizes().slice(1), ", ")) : "", dataset.task));
  }
}

/// Options that are for some tasks alone.
void check_options(const std::string& task, const TrainConfig& config) {
  const auto refuse = [&](const char* key, const std::string& text, const char* only) {
    throw InputError(fmt::format("{} \"{}\": for task {}, and this is {}", key, text, only, task));
  };
  if (task != "classify" && config.test_augment != "none")
    refuse("test_augment", config.test_augment, "classify");
  const bool smooths = task == "classify" || task == "segment" || task == "language";
  if (!smooths && config.label_smoothing > 0)
    refuse("label_smoothing", fmt::format("{}", config.label_smoothing), "classify, segment and language");
}

Batch first_test_example(const Dataset& dataset, const ComputePlan& plan) {
  return on_device(plain_batch(dataset, dataset.test, 0, 1, torch::kFloat32, plan.channels_last),
                   plan.device);
}

/// By the first test example, in evaluation mode, so that nothing of the model changes.
std::unique_ptr<Task> own_task(const TrainConfig& config, const Dataset& dataset, const ComputePlan& plan,
                               const std::shared_ptr<Model>& model) {
  check_options("own", config);
  const at::NoGradGuard no_grad;
  const InMode mode(*model, false);
  const Batch batch = first_test_example(dataset, plan);
  return script_task(model, model->forward(inputs_of(*model, batch)), batch);
}

/// Of a program that comes from elsewhere, before a run has written anything: whether its outputs are what
/// the task wants.
void check_outputs(const Task& task, const std::string& name, const Dataset& dataset, const ComputePlan& plan,
                   Model& model, const std::string& file) {
  const at::NoGradGuard no_grad;
  const InMode mode(model, false);
  const Batch batch = first_test_example(dataset, plan);
  const Values outputs = model.forward(inputs_of(model, batch));
  const torch::Tensor& first = outputs.front();
  const std::int64_t at = name == "language" ? 2 : 1;  // of the logits, where the task has any
  const auto refuse = [&](const std::string& why) {
    throw InputError(fmt::format("{}: gives {} [{}] first; {}", file, c10::toString(first.scalar_type()),
                                 fmt::join(first.sizes(), ", "), why));
  };
  if (!first.is_floating_point()) refuse(fmt::format("task {} wants floating-point numbers", name));
  if (name != "regress" && first.dim() > at && first.size(at) < dataset.classes)
    refuse(fmt::format("task {} of this data set has {} classes", name, dataset.classes));
  blame((file + ":").c_str(), [&] { task.loss({first.to(torch::kFloat32)}, batch); });
}

std::unique_ptr<Task> named_task(const std::string& name, const TrainConfig& config, const Dataset& dataset) {
  if (name == "multilabel") return make_multilabel(dataset.classes);
  if (name == "regress") return make_regression();
  if (name == "segment")
    return make_segmentation(dataset.classes, dataset.ignored_label, config.label_smoothing);
  if (name == "language") return make_language(dataset.bytes_per_token, config.label_smoothing);
  return make_classification(config.label_smoothing, dataset.classes);
}

}  // namespace

std::unique_ptr<Task> make_task(const TrainConfig& config, const Dataset& dataset, const ComputePlan& plan,
                                const std::shared_ptr<Model>& model) {
  if (config.task == "own") return own_task(config, dataset, plan, model);
  const std::string& task = config.task == "auto" ? dataset.task : config.task;
  check_targets(task, config, dataset);
  check_options(task, config);
  std::unique_ptr<Task> made = named_task(task, config, dataset);
  if (const auto program = std::dynamic_pointer_cast<LossProgram>(model))
    check_outputs(*made, task, dataset, plan, *model, program->file());
  return made;
}

}  // namespace glidepath
