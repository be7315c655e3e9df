// src/study/plan/identity.cpp - which runs are the same run.
#include "study/plan/identity.h"

#include <map>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "glidepath/budget.h"
#include "glidepath/schedule.h"
#include "glidepath/study.h"

namespace glidepath {
namespace {

/// One text for every spelling of a value.
std::string canonical_value(const TrainConfig& config, const std::string& key) {
  const std::string text = config_value(config, key);
  if (key == "schedule") return canonical_schedule(text);
  if (key == "budget" || key == "full" || (key == "eval_every" && text != "end")) {
    return to_string(parse_budget(text));
  }
  return text;
}

}  // namespace

std::string id_of_text(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string id;
  for (int i = 0; i < 8; ++i) id += fmt::format("{:02x}", digest[i]);
  return id;
}

std::string run_id(const TrainConfig& config) {
  // Values that need no telling: with them a run is the one that programs made that did not know the key.
  static const TrainConfig silent = [] {
    TrainConfig config;
    for (const ConfigKey& key : train_config_keys()) {
      if (!key.before.empty() && !key.before_is_near) set_config_value(config, key.name, key.before);
    }
    return config;
  }();
  std::map<std::string, std::string> values;  // by name: the order of the options may change
  for (const ConfigKey& key : train_config_keys()) {
    if (!key.affects_result) continue;
    const std::string value = canonical_value(config, key.name);
    if (value != canonical_value(silent, key.name)) values[key.name] = value;
  }
  std::string identity;
  for (const auto& [name, value] : values) identity += fmt::format("{}={}\n", name, value);
  return id_of_text(identity);
}

bool is_run(const TrainConfig& written, const std::string& id) {
  if (run_id(written) == id) return true;
  TrainConfig near = written;
  for (const ConfigKey& key : train_config_keys()) {
    if (key.before_is_near && config_value(written, key.name) == key.before)
      set_config_value(near, key.name, key.default_text);
  }
  return run_id(near) == id;
}

const char* to_string(RunStatus status) {
  switch (status) {
    case RunStatus::kPending:
      return "pending";
    case RunStatus::kRunning:
      return "running";
    case RunStatus::kDone:
      return "done";
    case RunStatus::kDiverged:
      return "diverged";
    case RunStatus::kFailed:
      return "failed";
  }
  return "pending";
}

}  // namespace glidepath
