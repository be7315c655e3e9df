// src/config/config_table.cpp - the one table of train options; flags, TOML and help all come from it.
#include "config/config_table.h"

#include <algorithm>
#include <limits>
#include <map>

#include "config/auto_augment_text.h"
#include "config/budget_scale.h"
#include "config/by_name_text.h"
#include "config/held_out_text.h"
#include "config/measure_text.h"
#include "config/option_checks.h"
#include "config/task_facts.h"
#include "core/optimizer_names.h"
#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "schedule/average_text.h"

namespace glidepath {
namespace {

/// In the order in which they are told.
std::vector<std::string> known_tasks() {
  std::vector<std::string> names = {"auto"};
  for (const TaskFacts& task : task_facts()) names.push_back(task.name);
  names.emplace_back("own");
  return names;
}

std::vector<ConfigEntry> make_table() {
  using C = TrainConfig;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kMostAlpha = 1000;
  constexpr std::int64_t kMany = 1'000'000'000;
  constexpr std::int64_t kMostThreads = 512;  // far above what an update can use; thousands take minutes each
  const auto check_budget = [](const std::string& text) { parse_budget(text); };
  return {
      canonical_entry(&C::data, "data",
                      "data set: cifar10, cifar100, mnist, fashion-mnist, digits, imagefolder:PATH, "
                      "tensors:PATH, tokens:PATH, segmentation:PATH",
                      canonical_data),
      canonical_entry(&C::data_dir, "data_dir",
                      "folder of the data set's files (default: $GLIDEPATH_DATA or the cache)",
                      canonical_path, false),
      canonical_entry(
          &C::split, "split",
          "image folders without splits: shares of every class to train and test on: 80/20, 80/10/10",
          canonical_split),
      text_entry(&C::test_on, "test_on",
                 "image folders: the split that is tested on, such as test; auto: val, valid, ..., test"),
      canonical_entry(
          &C::val, "val",
          "held out of the training images, by class, to choose on: 5000, 10% or none; the test images "
          "are then used once",
          canonical_held_out),
      share_entry(
          &C::train_fraction, "train_fraction",
          "trains on this share of the images of every class, (0, 1]; each seed has a part of its own"),
      whole_entry(&C::train_limit, "train_limit",
                  "use N training images only, in an image folder spread over the classes; 0: all", 0, kMany),
      whole_entry(&C::test_limit, "test_limit", "use N test images only; 0: all", 0, kMany),
      whole_entry(&C::context, "context", "tokens:PATH: how many tokens make an example", 1, 1 << 20),
      canonical_entry(&C::ignored_label, "ignored_label",
                      "of masks: the label of pixels that are left out, none, or auto: 255",
                      checked_ignored_label),
      choice_entry(&C::task, "task",
                   "what to train for: classify, multilabel, regress, segment, language, own (the loss of "
                   "a program); auto: "
                   "what the data set is for",
                   known_tasks()),
      text_entry(
          &C::model, "model",
          "resnet8, resnet18, convnet, unet, gpt, ..., script:FILE.pt or pt2:FILE.pt2 (docs/models.md)"),
      real_entry(&C::width, "width", "multiplies the model's channel counts, above 0", 0, 64, true),
      choice_entry(&C::stem, "stem",
                   "first layers: cifar (3x3), imagenet (7x7 and pool), auto: by image size",
                   {"auto", "cifar", "imagenet"}),
      canonical_entry(&C::plugin, "plugin",
                      "shared library of your own that brings a model, a task or data (docs/library.md)",
                      canonical_path),
      canonical_entry(
          &C::model_sha256, "model_sha256",
          "SHA-256 of the file that is the model; another content is refused (default: what it has)",
          canonical_sha256),
      canonical_entry(&C::plugin_sha256, "plugin_sha256", "likewise of the plug-in", canonical_sha256),
      canonical_entry(
          &C::init, "init",
          "weights to begin with: a safetensors file, or a run's folder; a head for other classes "
          "starts anew",
          canonical_path),
      canonical_entry(&C::freeze, "freeze",
                      "parameters that are not trained, by name: conv1.*,layer1.*; * any characters, ? one",
                      canonical_names),
      choice_entry(
          &C::frozen_norms, "frozen_norms",
          "norms whose parameters are all frozen: eval, with the statistics that they have, or train",
          {"eval", "train"}),
      canonical_entry(&C::schedule, "schedule",
                      "linear, cosine, step-d2, points(0:1,30%:1,1:0), file(my.csv), ... (docs/schedules.md)",
                      without_files),
      text_entry(&C::budget, "budget", "what the run may spend: 500it, 30ep, 10%, 1h30m, 2e15flop", true,
                 check_budget),
      canonical_entry(&C::deadline, "deadline",
                      "in place of a budget: the run is over by then; 2026-12-01T06:00 (local time) or ...Z",
                      canonical_deadline),
      text_entry(&C::full, "full", "the full budget, what 100% means: 200ep, 10000it, 2h, 1e15flop", true,
                 check_full),
      real_entry(&C::base_lr, "base_lr", "learning rate at progress 0, above 0", 0, kInfinity, true),
      canonical_entry(&C::base_lr_scale, "base_lr_scale",
                      "multiplies base_lr by a power of the share of the full budget: budget^-0.32, or off",
                      [](const std::string& text) { return BudgetScale::parse(text, false).canonical; }),
      choice_entry(&C::optimizer, "optimizer",
                   "sgd, adagrad, rmsprop, adam, amsgrad, adamw, muon, schedule-free-sgd, "
                   "schedule-free-adamw; adaptive ones want a base_lr near 0.001",
                   known_optimizers()),
      canonical_entry(&C::optimizer_of, "optimizer_of",
                      "the optimizer of parameters by name: fc.*=sgd; * any characters, ? one",
                      canonical_optimizers_by_name),
      canonical_entry(&C::lr_scale, "lr_scale",
                      "multiplies the learning rate of parameters by name: fc.*=10,conv1.*=0.1",
                      canonical_numbers_by_name),
      canonical_entry(
          &C::lr_until, "lr_until",
          "the share of the budget at which rates of parameters by name have landed: whiten.bias=0.375",
          canonical_shares_by_name),
      real_entry(&C::momentum, "momentum", "in [0, 1); used by sgd alone", 0, 1, false),
      flag_entry(&C::nesterov, "nesterov", "Nesterov's form of momentum; used by sgd and muon"),
      real_entry(&C::muon_momentum, "muon_momentum", "in [0, 1); used by muon alone", 0, 1, false),
      whole_entry(&C::muon_steps, "muon_steps",
                  "steps of Newton and Schulz that make an update orthogonal; muon", 1, 100),
      choice_entry(&C::muon_weights, "muon_weights",
                   "free, or normalised: kept at the norm sqrt(rows), as in airbench; muon",
                   {"free", "normalised"}),
      real_entry(&C::beta1, "beta1", "decay of the gradient's mean, in [0, 1); adam, amsgrad, adamw", 0, 1,
                 false),
      real_entry(&C::beta2, "beta2", "decay of the squares' mean, in [0, 1); adam, amsgrad, adamw", 0, 1,
                 false),
      real_entry(&C::rmsprop_alpha, "rmsprop_alpha", "decay of the squares' mean, in [0, 1); rmsprop", 0, 1,
                 false),
      canonical_entry(&C::eps, "eps",
                      "added to the divisor, by all but sgd; auto: 1e-10 for adagrad, 1e-8 for the others",
                      canonical_eps),
      real_entry(
          &C::weight_decay, "weight_decay",
          "L2 coefficient added to the gradient, at least 0; adamw and muon take it from the weights apart",
          0, kInfinity, false),
      canonical_entry(&C::weight_decay_of, "weight_decay_of",
                      "weight decay of parameters by name, in place of weight_decay: fc.*=0,conv1.*=1e-4",
                      canonical_numbers_by_name),
      canonical_entry(
          &C::weight_decay_scale, "weight_decay_scale",
          "likewise weight_decay: budget^-1, off, or timescale: base_lr * weight_decay * updates stays",
          [](const std::string& text) { return BudgetScale::parse(text, true).canonical; }),
      canonical_entry(&C::weight_decay_schedule, "weight_decay_schedule",
                      "what weight decay is multiplied by, in the words of schedule: const, cosine, ...",
                      canonical_share_schedule),
      canonical_entry(&C::momentum_schedule, "momentum_schedule",
                      "likewise momentum, by sgd and muon alone: points(0:0.9,30%:1)",
                      canonical_share_schedule),
      flag_entry(&C::decay_norm_bias, "decay_norm_bias", "weight decay on norm parameters and biases too"),
      real_entry(&C::label_smoothing, "label_smoothing", "in [0, 1)", 0, 1, false),
      real_entry(&C::mixup, "mixup",
                 "blend images in pairs, and their labels: alpha of the Beta distribution, as 0.2; 0: no", 0,
                 kMostAlpha, false),
      real_entry(&C::cutmix, "cutmix",
                 "paste boxes of images into others, as 1.0; with mixup each has half of the batches; 0: no",
                 0, kMostAlpha, false),
      real_entry(&C::random_erasing, "random_erasing",
                 "the chance, in [0, 1), that a rectangle of a training image is erased", 0, 1, false),
      whole_entry(&C::micro_batch, "micro_batch",
                  "pass the batch in pieces of N images and add up their gradients; 0: as a whole", 0,
                  1 << 20),
      canonical_entry(
          &C::clip_norm, "clip_norm",
          "a gradient longer than this is shortened to it: the L2 norm over all parameters, or none",
          canonical_clip_norm),
      whole_entry(&C::batch_size, "batch_size", "images in one update, of all processes together", 1,
                  1 << 20),
      flag_entry(&C::sync_bn, "sync_bn", "batch norm over the images of all processes, not of each"),
      flag_entry(&C::augment, "augment",
                 "random crop with padding (4 px at 32 px), and horizontal flip where it fits the data"),
      text_entry(&C::crop_padding, "crop_padding",
                 "pixels that a random crop may reach beyond the edge; auto: an eighth of the side", true,
                 check_crop_padding),
      choice_entry(&C::crop_fill, "crop_fill", "what is there: black, or the picture mirrored at its edge",
                   {"black", "reflect"}),
      choice_entry(&C::flip, "flip",
                   "mirror images: random, alternating (every other epoch), none; auto: random where it fits",
                   {"auto", "none", "random", "alternating"}),
      canonical_entry(&C::auto_augment, "auto_augment",
                      "random changes of training images after crop and flip: trivial (TrivialAugment), "
                      "rand(NUM_OPS,MAGNITUDE) (RandAugment), or none",
                      [](const std::string& text) { return AutoAugmentText::parse(text).canonical; }),
      canonical_entry(&C::train_res, "train_res",
                      "image folders: side of training images: 224, 128..224 over progress, 128@0,224@50%",
                      canonical_train_res),
      canonical_entry(&C::eval_res, "eval_res",
                      "image folders: side of test images; auto: the last one of train_res",
                      checked_eval_res),
      flag_entry(&C::exif_orientation, "exif_orientation",
                 "image folders: turn photographs as their EXIF data say (torchvision does not)"),
      text_entry(&C::max_corrupt, "max_corrupt",
                 "image folders: skip this many images of a split that cannot be decoded: 1%, 25, or 0",
                 false, check_max_corrupt),
      whole_entry(&C::seed, "seed", "of every random generator", 0, std::numeric_limits<std::int64_t>::max()),
      choice_entry(&C::precision, "precision",
                   "auto: bf16 autocast where the device is faster with it, fp16 on older GPUs",
                   {"auto", "fp32", "tf32", "bf16", "fp16"}),
      choice_entry(&C::loss_scale, "loss_scale",
                   "dynamic: the loss is scaled up so that small gradients survive; auto: with fp16",
                   {"auto", "none", "dynamic"}),
      choice_entry(&C::channels_last, "channels_last", "memory format of images and weights",
                   {"auto", "true", "false"}),
      choice_entry(&C::conv, "conv",
                   "3x3 convolutions on the CPU: library, winograd, or auto: our fastest for the CPU",
                   {"auto", "library", "winograd"}),
      text_entry(&C::device, "device", "auto, cpu, cuda or cuda:N", true, check_device),
      flag_entry(&C::deterministic, "deterministic",
                 "the same bits on the same GPU; false: cuDNN tries its kernels and takes the fastest"),
      choice_entry(&C::data_on_device, "data_on_device",
                   "keep the images in the GPU's memory and augment them there; auto: where they fit",
                   {"auto", "true", "false"}, false),
      choice_entry(&C::cuda_graphs, "cuda_graphs",
                   "launch an update on a GPU as one CUDA graph; auto: where it is possible",
                   {"auto", "true", "false"}, false),
      whole_entry(&C::threads, "threads", "CPU threads; 0: every core", 0, kMostThreads),
      whole_entry(&C::data_wait, "data_wait",
                  "seconds to wait for data that cannot be read, before the run is saved and stops", 0,
                  86'400, false),
      whole_entry(&C::workers, "workers", "image folders, masks: threads that decode; 0: every core", 0,
                  kMostThreads, false),
      text_entry(&C::eval_every, "eval_every", "test the model this often: 1ep, 10%, 500it, or end", true,
                 check_eval_every),
      choice_entry(
          &C::test_augment, "test_augment",
          "the final test also averages over views: flip, or flip-shift (mirrored, and moved by a pixel)",
          {"none", "flip", "flip-shift"}),
      whole_entry(&C::eval_batch_size, "eval_batch_size", "images in one evaluation batch", 1, 1 << 20),
      text_entry(
          &C::bn_estimate, "bn_estimate",
          "training images from which batch norm's statistics are estimated anew before the final test, or "
          "off",
          true, check_bn_estimate),
      canonical_entry(
          &C::average, "average",
          "an average of the weights, tested and saved too: ema(10%) or lawa(5,2%) of the budget; none",
          [](const std::string& text) { return AverageText::parse(text).canonical; }),
      choice_entry(&C::saved_statistics, "saved_statistics",
                   "whose statistics of batch norm the saved model has: fresh (of bn_estimate) or running",
                   {"fresh", "running"}, false),
      canonical_entry(
          &C::measure, "measure",
          "measure grad-norm, weight-norm, effective-lr, grad-norm-online; each @every=1ep or @points=20",
          canonical_measures),
      text_entry(&C::checkpoint_every, "checkpoint_every",
                 "save the run's state this often: 5m, 10it, 1ep, 10%", false, check_checkpoint_every),
      whole_entry(&C::keep_checkpoints, "keep_checkpoints", "keep the last K checkpoints", 1, kMany, false),
      choice_entry(&C::on_divergence, "on_divergence",
                   "stop, or rewind: back to the last evaluation with half the base_lr, at most 5 times",
                   {"stop", "rewind"}),
  };
}

/// What programs did that did not know a key.
void set_before(std::vector<ConfigEntry>& table) {
  const std::map<std::string, const char*> before = {
      {"bn_estimate", "off"}, {"saved_statistics", "running"}, {"conv", "library"}};
  for (ConfigEntry& entry : table) {
    const auto found = before.find(entry.key.name);
    if (found != before.end()) entry.key.before = found->second;
    entry.key.before_is_near = entry.key.name == "conv";
  }
}

/// Headings of --help. Within one, options stand as in the table.
void set_groups(std::vector<ConfigEntry>& table) {
  const std::map<std::string, std::vector<const char*>> groups = {
      {"Data", {"data",          "data_dir",       "split",        "test_on",          "val",
                "data_wait",     "train_fraction", "train_limit",  "test_limit",       "context",
                "ignored_label", "augment",        "crop_padding", "crop_fill",        "flip",
                "auto_augment",  "train_res",      "eval_res",     "exif_orientation", "max_corrupt"}},
      {"Model",
       {"task", "model", "width", "stem", "model_sha256", "plugin", "plugin_sha256", "init", "freeze",
        "frozen_norms"}},
      {"Budget and schedule", {"budget", "deadline", "full", "schedule", "base_lr", "base_lr_scale"}},
      {"Optimizer",
       {"optimizer",
        "optimizer_of",
        "lr_scale",
        "lr_until",
        "batch_size",
        "sync_bn",
        "momentum",
        "nesterov",
        "muon_momentum",
        "muon_steps",
        "muon_weights",
        "beta1",
        "beta2",
        "rmsprop_alpha",
        "eps",
        "weight_decay",
        "weight_decay_of",
        "weight_decay_scale",
        "weight_decay_schedule",
        "momentum_schedule",
        "decay_norm_bias",
        "average",
        "label_smoothing",
        "mixup",
        "cutmix",
        "random_erasing",
        "micro_batch",
        "clip_norm",
        "seed"}},
      {"Evaluation and measures",
       {"eval_every", "eval_batch_size", "bn_estimate", "saved_statistics", "test_augment", "measure"}},
      {"Saving", {"checkpoint_every", "keep_checkpoints", "on_divergence"}},
      {"Machine",
       {"device", "threads", "workers", "precision", "loss_scale", "channels_last", "conv", "deterministic",
        "data_on_device", "cuda_graphs"}}};
  for (const auto& [group, keys] : groups) {
    for (ConfigEntry& entry : table) {
      if (std::find(keys.begin(), keys.end(), entry.key.name) != keys.end()) entry.key.group = group;
    }
  }
}

}  // namespace

const std::vector<ConfigEntry>& config_table() {
  static const std::vector<ConfigEntry> table = [] {
    std::vector<ConfigEntry> entries = make_table();
    set_groups(entries);
    set_before(entries);
    return entries;
  }();
  return table;
}

}  // namespace glidepath
