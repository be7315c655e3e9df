// src/train/train_config.cpp - the one table of train options; flags, TOML and help all come from it.
#include "glidepath/train_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "core/words.h"
#include "files/read_file.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/resolution.h"
#include "glidepath/schedule.h"
#include "train/deadline.h"
#include "train/measure_text.h"
#include "train/toml.h"
#include "train/wall_clock.h"

namespace glidepath {
namespace {

struct Entry {
  ConfigKey key;
  std::function<void(TrainConfig&, const std::string&)> set;
  std::function<std::string(const TrainConfig&)> get;
};

[[noreturn]] void refuse(const std::string& key, const std::string& text, const std::string& wanted) {
  throw InputError(fmt::format("{} \"{}\": {}", key, text, wanted));
}

template <typename Number>
Number parse_number(const std::string& key, const std::string& text, const std::string& wanted) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) refuse(key, text, wanted);
  return value;
}

/// Without overlong forms, surrogates, and what lies beyond U+10FFFF.
bool is_utf8(const std::string& text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = byte(i), second = byte(i + 1);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xC2 ? 0
                               : first < 0xE0 ? 2
                               : first < 0xF0 ? 3
                               : first < 0xF5 ? 4
                                              : 0;
    const bool is_bad = length == 0 || (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
    if (is_bad) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

Entry text_entry(std::string TrainConfig::*field, std::string name, std::string help,
                 bool affects_result = true,
                 std::function<void(const std::string&, const std::string&)> check = {}) {
  return {{name, std::move(help), TrainConfig().*field, affects_result},
          [=](TrainConfig& config, const std::string& text) {
            if (!is_utf8(text)) refuse(name, text, "must be UTF-8 text");  // as TOML is
            if (check) check(name, text);
            config.*field = text;
          },
          [=](const TrainConfig& config) { return config.*field; }};
}

Entry choice_entry(std::string TrainConfig::*field, std::string name, std::string help,
                   std::vector<std::string> choices, bool affects_result = true) {
  const auto check = [choices](const std::string& key, const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
      refuse(key, text, fmt::format("must be one of {}", fmt::join(choices, ", ")));
    }
  };
  return text_entry(field, std::move(name), std::move(help), affects_result, check);
}

/// A number in [low, high), or (low, high) when `open`.
Entry real_entry(double TrainConfig::*field, std::string name, std::string help, double low, double high,
                 bool open) {
  const std::string wanted = std::isinf(high)
                                 ? fmt::format("must be a number {} {}", open ? "above" : "of at least", low)
                                 : fmt::format("must be a number in {}{}, {})", open ? "(" : "[", low, high);
  return {{name, std::move(help), fmt::format("{}", TrainConfig().*field), true},
          [=](TrainConfig& config, const std::string& text) {
            const double value = parse_number<double>(name, text, wanted);
            if (!(open ? value > low : value >= low) || !(value < high)) refuse(name, text, wanted);
            config.*field = value;
          },
          [=](const TrainConfig& config) { return fmt::format("{}", config.*field); }};
}

template <typename Integer>
Entry whole_entry(Integer TrainConfig::*field, std::string name, std::string help, Integer low, Integer high,
                  bool affects_result = true) {
  const std::string wanted = fmt::format("must be a whole number in [{}, {}]", low, high);
  return {{name, std::move(help), fmt::format("{}", TrainConfig().*field), affects_result},
          [=](TrainConfig& config, const std::string& text) {
            const auto value = parse_number<Integer>(name, text, wanted);
            if (value < low || value > high) refuse(name, text, wanted);
            config.*field = value;
          },
          [=](const TrainConfig& config) { return fmt::format("{}", config.*field); }};
}

Entry flag_entry(bool TrainConfig::*field, std::string name, std::string help) {
  return {{name, std::move(help), TrainConfig().*field ? "true" : "false", true},
          [=](TrainConfig& config, const std::string& text) {
            if (text != "true" && text != "false") refuse(name, text, "must be true or false");
            config.*field = text == "true";
          },
          [=](const TrainConfig& config) { return std::string(config.*field ? "true" : "false"); }};
}

/// Runs a parser of the grammar and puts the option's name before its message.
template <typename Parser>
std::function<void(const std::string&, const std::string&)> parsed_by(Parser parser) {
  return [parser](const std::string& key, const std::string& text) {
    try {
      parser(text);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{} {}", key, error.what()));
    }
  };
}

void check_full(const std::string& text) {
  if (parse_budget(text).unit == BudgetUnit::kPercent) {
    throw InputError(fmt::format(
        "\"{}\": the full budget must be in epochs, iterations, time or flop, for example 200ep", text));
  }
}

void check_eval_every(const std::string& text) {
  if (text == "end") return;
  const BudgetUnit unit = parse_budget(text).unit;
  if (unit == BudgetUnit::kFlops || unit == BudgetUnit::kSeconds) {
    throw InputError(
        fmt::format("\"{}\": must be in epochs, iterations or percent of the budget, or \"end\"", text));
  }
}

void check_checkpoint_every(const std::string& text) {
  if (parse_budget(text).unit == BudgetUnit::kFlops) {
    throw InputError(fmt::format(
        "\"{}\": must be in time, iterations, epochs or percent of the budget, for example 5m", text));
  }
}

void check_device(const std::string& key, const std::string& text) {
  const bool numbered_cuda =
      text.size() > 5 && text.compare(0, 5, "cuda:") == 0 &&
      std::all_of(text.begin() + 5, text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text != "auto" && text != "cpu" && text != "cuda" && !numbered_cuda) {
    refuse(key, text, "must be auto, cpu, cuda or cuda:N");
  }
}

// Kept in its one spelling, so that one schedule is one run however it is written.
Entry train_res_entry() {
  return {{"train_res", "image folders: side of training images: 224, 128..224 over progress, 128@0,224@50%",
           "auto", true},
          [](TrainConfig& config, const std::string& text) {
            try {
              config.train_res = text == "auto" ? text : ResolutionSchedule::parse(text).text();
            } catch (const InputError& error) {
              throw InputError(fmt::format("train_res {}", error.what()));
            }
          },
          [](const TrainConfig& config) { return config.train_res; }};
}

Entry eval_res_entry() {
  return {{"eval_res", "image folders: side of test images; auto: the last one of train_res", "auto", true},
          [](TrainConfig& config, const std::string& text) {
            const std::string wanted = "must be auto or a whole number of pixels in [8, 2048]";
            if (text != "auto") {
              const auto value = parse_number<std::int64_t>("eval_res", text, wanted);
              if (value < 8 || value > 2048) refuse("eval_res", text, wanted);
            }
            config.eval_res = text;
          },
          [](const TrainConfig& config) { return config.eval_res; }};
}

void check_max_corrupt(const std::string& key, const std::string& text) {
  const auto [number, unit] = words::split_number(text);
  const auto value = words::number(number);
  const bool is_share = unit == "%" && value && *value >= 0 && *value <= 100;
  const bool is_count = unit.empty() && value && *value >= 0 && *value == std::floor(*value);
  if (!is_share && !is_count)
    refuse(key, text, "must be a share of the split's images or a number of them, for example 1% or 25");
}

// Kept in UTC, so that it is the same moment wherever the file is read.
Entry deadline_entry() {
  return {{"deadline", "in place of a budget: the run is over by then; 2026-12-01T06:00 (local time) or ...Z",
           "", true},
          [](TrainConfig& config, const std::string& text) {
            try {
              config.deadline = text.empty() ? text : deadline_text(parse_deadline(text));
            } catch (const InputError& error) {
              throw InputError(fmt::format("deadline {}", error.what()));
            }
          },
          [](const TrainConfig& config) { return config.deadline; }};
}

// Kept in its shortest form, so that one list is one run however it is written.
Entry measure_entry() {
  return {{"measure",
           "measure grad-norm, weight-norm, effective-lr, grad-norm-online; each @every=1ep or @points=20",
           "", true},
          [](TrainConfig& config, const std::string& text) {
            try {
              config.measure = canonical_measures(text);
            } catch (const InputError& error) {
              throw InputError(fmt::format("measure {}", error.what()));
            }
          },
          [](const TrainConfig& config) { return config.measure; }};
}

// A smaller one is 0 as a float, and 0 / 0 no update.
constexpr double kSmallestEps = 1e-37;

Entry eps_entry() {
  const std::string name = "eps";
  return {{name, "added to the divisor, by all but sgd; auto: 1e-10 for adagrad, 1e-8 for the others", "auto",
           true},
          [=](TrainConfig& config, const std::string& text) {
            if (text == "auto") {
              config.eps = text;
              return;
            }
            const std::string wanted = fmt::format("must be auto or a number of at least {}", kSmallestEps);
            const double value = parse_number<double>(name, text, wanted);
            if (!(value >= kSmallestEps) || std::isinf(value)) refuse(name, text, wanted);
            config.eps = fmt::format("{}", value);  // one text for every spelling
          },
          [](const TrainConfig& config) { return config.eps; }};
}

std::vector<Entry> make_entries() {
  using C = TrainConfig;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::int64_t kMany = 1'000'000'000;
  constexpr std::int64_t kMostThreads = 512;  // far above what an update can use; thousands take minutes each
  const auto budget_check = parsed_by([](const std::string& text) { parse_budget(text); });
  const auto schedule_check = parsed_by([](const std::string& text) { canonical_schedule(text); });
  return {
      text_entry(&C::data, "data",
                 "data set: cifar10, cifar100, mnist, fashion-mnist, digits, imagefolder:PATH"),
      text_entry(&C::data_dir, "data_dir",
                 "folder of the data set's files (default: $GLIDEPATH_DATA or the cache)", false),
      whole_entry(&C::train_limit, "train_limit",
                  "use N training images only, in an image folder spread over the classes; 0: all",
                  std::int64_t{0}, kMany),
      whole_entry(&C::test_limit, "test_limit", "use N test images only; 0: all", std::int64_t{0}, kMany),
      text_entry(&C::model, "model", "resnet8, resnet20, resnet18, convnet, ... (docs/models.md)"),
      real_entry(&C::width, "width", "multiplies the model's channel counts, above 0", 0, 64, true),
      choice_entry(&C::stem, "stem",
                   "first layers: cifar (3x3), imagenet (7x7 and pool), auto: by image size",
                   {"auto", "cifar", "imagenet"}),
      text_entry(&C::schedule, "schedule", "linear, cosine, step-d2, poly(power=2), ... (docs/schedules.md)",
                 true, schedule_check),
      text_entry(&C::budget, "budget", "what the run may spend: 500it, 30ep, 10%, 1h30m, 2e15flop", true,
                 budget_check),
      deadline_entry(),
      text_entry(&C::full, "full", "the full budget, what 100% means: 200ep, 10000it, 2h, 1e15flop", true,
                 parsed_by(check_full)),
      real_entry(&C::base_lr, "base_lr", "learning rate at progress 0, above 0", 0, kInfinity, true),
      choice_entry(&C::optimizer, "optimizer",
                   "sgd, adagrad, rmsprop, adam, amsgrad or adamw; all but sgd want a base_lr near 0.001",
                   {"sgd", "adagrad", "rmsprop", "adam", "amsgrad", "adamw"}),
      real_entry(&C::momentum, "momentum", "in [0, 1); used by sgd alone", 0, 1, false),
      flag_entry(&C::nesterov, "nesterov", "Nesterov's form of momentum; used by sgd alone"),
      real_entry(&C::beta1, "beta1", "decay of the gradient's mean, in [0, 1); adam, amsgrad, adamw", 0, 1,
                 false),
      real_entry(&C::beta2, "beta2", "decay of the squares' mean, in [0, 1); adam, amsgrad, adamw", 0, 1,
                 false),
      real_entry(&C::rmsprop_alpha, "rmsprop_alpha", "decay of the squares' mean, in [0, 1); rmsprop", 0, 1,
                 false),
      eps_entry(),
      real_entry(&C::weight_decay, "weight_decay",
                 "L2 coefficient added to the gradient, at least 0; adamw takes it from the weights apart", 0,
                 kInfinity, false),
      flag_entry(&C::decay_norm_bias, "decay_norm_bias", "weight decay on norm parameters and biases too"),
      real_entry(&C::label_smoothing, "label_smoothing", "in [0, 1)", 0, 1, false),
      whole_entry(&C::batch_size, "batch_size", "images in one update, of all processes together",
                  std::int64_t{1}, std::int64_t{1} << 20),
      flag_entry(&C::sync_bn, "sync_bn", "batch norm over the images of all processes, not of each"),
      flag_entry(&C::augment, "augment",
                 "random crop with padding (4 px at 32 px), and horizontal flip where it fits the data"),
      train_res_entry(),
      eval_res_entry(),
      flag_entry(&C::exif_orientation, "exif_orientation",
                 "image folders: turn photographs as their EXIF data say (torchvision does not)"),
      text_entry(&C::max_corrupt, "max_corrupt",
                 "image folders: skip this many images of a split that cannot be decoded: 1%, 25, or 0",
                 false, check_max_corrupt),
      whole_entry(&C::seed, "seed", "of every random generator", std::uint64_t{0},
                  std::uint64_t{std::numeric_limits<std::int64_t>::max()}),
      choice_entry(&C::precision, "precision",
                   "auto: bf16 autocast where the device is faster with it, fp16 on older GPUs",
                   {"auto", "fp32", "tf32", "bf16", "fp16"}),
      choice_entry(&C::loss_scale, "loss_scale",
                   "dynamic: the loss is scaled up so that small gradients survive; auto: with fp16",
                   {"auto", "none", "dynamic"}),
      choice_entry(&C::channels_last, "channels_last", "memory format of images and weights",
                   {"auto", "true", "false"}),
      text_entry(&C::device, "device", "auto, cpu, cuda or cuda:N", true, check_device),
      flag_entry(&C::deterministic, "deterministic",
                 "the same bits on the same GPU; false: cuDNN tries its kernels and takes the fastest"),
      choice_entry(&C::data_on_device, "data_on_device",
                   "keep the images in the GPU's memory and augment them there; auto: where they fit",
                   {"auto", "true", "false"}, false),
      choice_entry(&C::cuda_graphs, "cuda_graphs",
                   "launch an update on a GPU as one CUDA graph; auto: where it is possible",
                   {"auto", "true", "false"}, false),
      whole_entry(&C::threads, "threads", "CPU threads; 0: every core", std::int64_t{0}, kMostThreads),
      whole_entry(&C::workers, "workers", "image folders: threads that decode; 0: every core",
                  std::int64_t{0}, kMostThreads, false),
      text_entry(&C::eval_every, "eval_every", "test the model this often: 1ep, 10%, 500it, or end", true,
                 parsed_by(check_eval_every)),
      whole_entry(&C::eval_batch_size, "eval_batch_size", "images in one evaluation batch", std::int64_t{1},
                  std::int64_t{1} << 20),
      measure_entry(),
      text_entry(&C::checkpoint_every, "checkpoint_every",
                 "save the run's state this often: 5m, 10it, 1ep, 10%", false,
                 parsed_by(check_checkpoint_every)),
      whole_entry(&C::keep_checkpoints, "keep_checkpoints", "keep the last K checkpoints", std::int64_t{1},
                  kMany, false),
      choice_entry(&C::on_divergence, "on_divergence",
                   "stop, or rewind: back to the last evaluation with half the base_lr, at most 5 times",
                   {"stop", "rewind"}),
  };
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> list = make_entries();
  return list;
}

const Entry& find_entry(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) {
    if (entry.key.name == name) return entry;
    names.push_back(entry.key.name);
  }
  throw InputError(
      fmt::format("\"{}\" is not a train option; the nearest is {}", name, words::nearest(name, names)));
}

[[noreturn]] void refuse_table(const std::string& name) {
  if (name == "base" || name == "grid" || name == "profile") {
    throw InputError(fmt::format("[{}]: belongs in a study file; run it with glidepath study", name));
  }
  throw InputError(fmt::format("[{}]: train options are single values, for example seed = 1", name));
}

std::string toml_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

bool TrainConfig::operator==(const TrainConfig& other) const {
  return std::all_of(entries().begin(), entries().end(),
                     [&](const Entry& entry) { return entry.get(*this) == entry.get(other); });
}

const std::vector<ConfigKey>& train_config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> list;
    for (const Entry& entry : entries()) list.push_back(entry.key);
    return list;
  }();
  return keys;
}

void set_config_value(TrainConfig& config, const std::string& key, const std::string& text) {
  find_entry(key).set(config, text);
}

std::string config_value(const TrainConfig& config, const std::string& key) {
  return find_entry(key).get(config);
}

void check_config(const TrainConfig& config) {
  for (const Entry& entry : entries()) {
    TrainConfig checked;
    entry.set(checked, entry.get(config));
  }
  if (config.optimizer == "sgd" && config.nesterov && config.momentum == 0) {
    throw InputError("momentum \"0\": must be above 0 for nesterov; give momentum 0.9, or nesterov false");
  }
}

TrainConfig parse_train_config(const std::string& toml_source, const std::string& name_for_errors) {
  TrainConfig config;
  for (const auto& [key, node] : parse_toml(toml_source, name_for_errors)) {
    const std::string name(key.str());
    if (name == "versions" || name == "history") continue;  // told, not set
    try {
      if (node.is_table()) refuse_table(name);
      set_config_value(config, name, toml_value_text(node, name));
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}:{}: {}", name_for_errors, node.source().begin.line, error.what()));
    }
  }
  return config;
}

void set_slurm_deadline(TrainConfig& config) {
  const double now = wall_clock_seconds();
  config.deadline = deadline_text(slurm_deadline(slurm_end_seconds(), now));
}

TrainConfig read_train_config(const std::filesystem::path& file) {
  const auto text = try_read_file(file);
  if (!text) {
    throw InputError(
        fmt::format("{}: cannot be read; give a file with train options in TOML", file.string()));
  }
  return parse_train_config(*text, file.string());
}

std::string to_toml(const TrainConfig& config) {
  std::string text;
  for (const Entry& entry : entries()) {
    const std::string value = entry.get(config);
    const std::string& fallback = entry.key.default_text;
    const bool bare =
        fallback == "true" || fallback == "false" ||
        (!fallback.empty() && fallback.find_first_not_of("0123456789.e+-") == std::string::npos);
    text += fmt::format("{} = {}\n", entry.key.name, bare ? value : toml_quoted(value));
  }
  return text;
}

}  // namespace glidepath
