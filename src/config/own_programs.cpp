// src/config/own_programs.cpp - programs of a user's own that belong to a run: which they are, by content.
#include "config/own_programs.h"

#include <fmt/format.h>

#include "files/atomic_file.h"
#include "files/checksum.h"
#include "files/read_file.h"
#include "glidepath/error.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

struct Kind {
  const char* prefix;
  const char* kept;
};
constexpr Kind kKinds[] = {{"script:", "model.pt"}, {"pt2:", "model.pt2"}};

std::string hash_of(const fs::path& file) { return try_sha256_of(file).value_or(""); }

void refuse_no_file(const char* key, const std::string& hash, const std::string& why) {
  throw InputError(fmt::format("{} \"{}\": {}; leave it out", key, hash, why));
}

/// A file that cannot be read is its reader's to refuse.
void require_content(const fs::path& file, const std::string& found, const std::string& wanted,
                     const std::string& remedy) {
  if (wanted.empty() || found.empty() || found == wanted) return;
  throw InputError(
      fmt::format("{}: its SHA-256 is {}, and this run's is {}; {}", file.string(), found, wanted, remedy));
}

}  // namespace

bool is_program_hash(const std::string& key) { return key == "model_sha256" || key == "plugin_sha256"; }

std::optional<ModelFile> model_file(const std::string& model) {
  for (const Kind& kind : kKinds) {
    const std::string prefix = kind.prefix;
    if (model.compare(0, prefix.size(), prefix) == 0)
      return ModelFile{prefix, model.substr(prefix.size()), kind.kept};
  }
  return std::nullopt;
}

const std::string& KnownHashes::of(const fs::path& file) {
  const auto [place, is_new] = hashes_.emplace(file, std::string());
  if (is_new) place->second = hash_of(file);
  return place->second;
}

void identify_programs(TrainConfig& config, KnownHashes& known) {
  const auto identify = [&](const char* key, const fs::path& file, std::string& hash) {
    const std::string& found = known.of(file);
    require_content(file, found, hash,
                    fmt::format("put that file back, or leave {} out for a run of this one", key));
    if (hash.empty()) hash = found;
  };
  if (const auto model = model_file(config.model)) {
    identify("model_sha256", model->file, config.model_sha256);
  } else if (!config.model_sha256.empty()) {
    refuse_no_file("model_sha256", config.model_sha256,
                   fmt::format("the model \"{}\" is no file of yours", config.model));
  }
  if (!config.plugin.empty()) {
    identify("plugin_sha256", config.plugin, config.plugin_sha256);
  } else if (!config.plugin_sha256.empty()) {
    refuse_no_file("plugin_sha256", config.plugin_sha256, "there is no plug-in");
  }
}

TrainConfig with_programs_of_run(TrainConfig config, const fs::path& run) {
  if (const auto model = model_file(config.model)) {
    const fs::path copy = run / model->kept;
    const bool is_kept = is_there(copy);
    const fs::path file = is_kept ? copy : model->file;
    require_content(file, config.model_sha256.empty() ? "" : hash_of(file), config.model_sha256,
                    "put that file back, or start a new run for this one");
    config.model = model->prefix + file.string();
  }
  if (!config.plugin_sha256.empty())
    require_content(config.plugin, hash_of(config.plugin), config.plugin_sha256,
                    "put that file back, or start a new run for this one");
  return config;
}

std::string changed_since(const TrainConfig& config, const fs::path& run) {
  const auto model = model_file(config.model);
  if (!model || config.model_sha256.empty() || !is_there(run / model->kept)) return {};
  const std::string found = hash_of(model->file);
  if (found.empty() || found == config.model_sha256) return {};
  return fmt::format(
      "model: {} has SHA-256 {} by now, and this run goes on with its own copy of {}: another program is "
      "another run",
      model->file.string(), found, config.model_sha256);
}

void keep_model_file(const TrainConfig& config, const fs::path& folder, const fs::path& folder_before) {
  const auto model = model_file(config.model);
  if (!model || config.model_sha256.empty()) return;
  const fs::path copy = folder / model->kept;
  if (hash_of(copy) == config.model_sha256) return;
  const fs::path sources[] = {folder_before / model->kept, model->file};
  for (const fs::path& source : sources) {
    if (hash_of(source) != config.model_sha256) continue;
    copy_whole(source, copy);
    if (hash_of(copy) == config.model_sha256) return;
  }
  require_content(model->file, hash_of(model->file), config.model_sha256, "it was changed as the run began");
  throw InputError(fmt::format("{}: cannot be read any more", model->file.string()));
}

}  // namespace glidepath
