// src/config/train_config.cpp - reading, writing and checking all options of a run.
#include "glidepath/train_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "budget/deadline.h"
#include "config/budget_scale.h"
#include "config/config_table.h"
#include "config/toml.h"
#include "core/words.h"
#include "files/read_file.h"
#include "glidepath/clock.h"
#include "glidepath/error.h"
#include "schedule/synonyms.h"

namespace glidepath {
namespace {

const ConfigEntry& find_entry(const std::string& name) {
  std::vector<std::string> names;
  for (const ConfigEntry& entry : config_table()) {
    if (entry.key.name == name) return entry;
    names.push_back(entry.key.name);
  }
  const auto hint = words::option_elsewhere(name);
  const bool is_key = hint && std::find(names.begin(), names.end(), hint->key) != names.end();
  throw InputError(fmt::format("\"{}\" is not a train option; {}", name,
                               is_key ? fmt::format("here it is {}", hint->key)
                                      : fmt::format("the nearest is {}", words::nearest(name, names))));
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

/// A truth or a number, which TOML has without quotes. A key whose default is one may have other texts:
/// "off".
bool is_bare(const std::string& text) {
  return text == "true" || text == "false" ||
         (!text.empty() && text.find_first_not_of("0123456789.e+-") == std::string::npos);
}

}  // namespace

bool TrainConfig::operator==(const TrainConfig& other) const {
  return std::all_of(config_table().begin(), config_table().end(),
                     [&](const ConfigEntry& entry) { return entry.get(*this) == entry.get(other); });
}

const std::vector<ConfigKey>& train_config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> list;
    for (const ConfigEntry& entry : config_table()) list.push_back(entry.key);
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
  for (const ConfigEntry& entry : config_table()) {
    TrainConfig checked;
    entry.set(checked, entry.get(config));
  }
  if (config.optimizer == "sgd" && config.nesterov && config.momentum == 0) {
    throw InputError("momentum \"0\": must be above 0 for nesterov; give momentum 0.9, or nesterov false");
  }
  const bool has_momentum =
      config.optimizer == "sgd" || config.optimizer == "muon" || !config.optimizer_of.empty();
  if (config.momentum_schedule != "const" && !has_momentum) {
    throw InputError(
        fmt::format("momentum_schedule \"{}\": optimizer {} has no momentum to change; sgd and muon have",
                    config.momentum_schedule, config.optimizer));
  }
  check_budget_scales(config);
  if (config.auto_augment != "none" && !config.augment) {
    throw InputError(
        fmt::format("auto_augment \"{}\": augment false leaves images as they are; give one of them",
                    config.auto_augment));
  }
  if (config.micro_batch > 0 && config.sync_bn) {
    throw InputError(
        fmt::format("micro_batch \"{}\": sync_bn looks at the whole batch at once; give one of them",
                    config.micro_batch));
  }
  if (config.micro_batch > 0 && config.cuda_graphs == "true") {
    throw InputError("cuda_graphs \"true\": micro-batches are passed one by one; use auto");
  }
}

TrainConfig parse_train_config(const std::string& toml_source, const std::string& name_for_errors,
                               ConfigOrigin origin) {
  TrainConfig config;
  if (origin == ConfigOrigin::kWritten) {
    for (const ConfigEntry& entry : config_table()) {
      if (!entry.key.before.empty()) entry.set(config, entry.key.before);
    }
  }
  for (const auto& [key, node] : parse_toml(toml_source, name_for_errors)) {
    const std::string name(key.str());
    if (name == "versions" || name == "history" || name == "dataset" || name == "loop")
      continue;  // told, not set
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

TrainConfig read_train_config(const std::filesystem::path& file, ConfigOrigin origin) {
  constexpr std::size_t kMostBytes = std::size_t{4} << 20;
  const auto text = try_read_given_file(file, kMostBytes);
  if (!text) {
    throw InputError(
        fmt::format("{}: cannot be read; give a file with train options in TOML", file.string()));
  }
  return parse_train_config(*text, file.string(), origin);
}

std::string to_toml(const TrainConfig& config) {
  std::string text;
  for (const ConfigEntry& entry : config_table()) {
    const std::string value = entry.get(config);
    const bool bare = is_bare(entry.key.default_text) && is_bare(value);
    text += fmt::format("{} = {}\n", entry.key.name, bare ? value : toml_quoted(value));
  }
  return text;
}

}  // namespace glidepath
