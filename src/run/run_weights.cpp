// src/run/run_weights.cpp - the weights that a run has left, for what looks at them afterwards.
#include "run/run_weights.h"

#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>

#include "core/safe_text.h"
#include "files/read_file.h"
#include "glidepath/error.h"
#include "glidepath/safetensors.h"
#include "model/weight_names.h"
#include "run/checkpoint.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

const std::string kModelPrefix = "model.";

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  const CheckpointFolder checkpoints(folder, 1, {});
  std::vector<fs::path> files;
  for (const std::int64_t step : checkpoints.steps()) files.push_back(checkpoints.file(step));
  std::reverse(files.begin(), files.end());
  return files;
}

}  // namespace

RunWeights find_run_weights(const fs::path& given) {
  // "runs/a/" is runs/a.
  const fs::path path = given.has_filename() || !given.has_parent_path() ? given : given.parent_path();
  if (!is_there(path)) {
    throw InputError(
        fmt::format("{}: no such file or folder; give a run directory, its folder checkpoint, or a "
                    "file of weights in it",
                    path.string()));
  }
  const auto parent = [](const fs::path& of) {
    return of.has_parent_path() ? of.parent_path() : fs::path(".");
  };
  const auto is_run = [](const fs::path& folder) { return is_there(folder / "config.toml"); };
  if (is_folder(path)) {
    const bool is_checkpoints = !is_run(path) && is_run(fs::absolute(path).lexically_normal().parent_path());
    RunWeights found{is_checkpoints ? path / ".." : path,
                     checkpoints_in(is_checkpoints ? path : path / "checkpoint")};
    if (!is_run(found.run)) {
      throw InputError(fmt::format(
          "{}: no run there (config.toml is missing); give the --out of an earlier run", path.string()));
    }
    if (!is_checkpoints && is_there(path / "model.safetensors")) {
      found.files = {path / "model.safetensors"};
    } else if (!is_checkpoints && !found.files.empty()) {
      found.files = {found.files.back()};
    }
    if (found.files.empty())
      throw InputError(fmt::format("{}: holds no weights yet; train some first: glidepath train --resume {}",
                                   path.string(), shell_word(path.string())));
    return found;
  }
  for (const fs::path& run : {parent(path), parent(path) / ".."}) {
    if (is_run(run)) return {run, {path}};
  }
  throw InputError(
      fmt::format("{}: not in a run directory: there is no config.toml beside it or above, which "
                  "says what network and data it belongs to",
                  path.string()));
}

StoredWeights read_weights(const fs::path& file, std::uint64_t most_bytes) {
  std::map<std::string, std::string> metadata;
  constexpr std::uint64_t kTimes = 8;
  const std::uint64_t most = kTimes * most_bytes;
  StoredWeights found;
  found.tensors = load_safetensors(file, &metadata, Checksum::kNone, most);
  found.statistics =
      metadata.count(kStatistics) > 0 ? plain_line(metadata.at(kStatistics)) : kRunningStatistics;
  if (metadata.count("run_state") == 0) return found;
  TensorMap all;
  found.step = read_checkpoint(file, all, most).get<CheckpointPlace>().step;
  found.tensors.clear();
  for (const auto& [name, tensor] : all) {
    if (name.compare(0, kModelPrefix.size(), kModelPrefix) == 0)
      found.tensors[name.substr(kModelPrefix.size())] = tensor;
  }
  return found;
}

std::int64_t load_run_weights(const fs::path& file, Model& model, std::string* statistics) {
  const StoredWeights stored = read_weights(file, most_weight_bytes(model));
  if (statistics != nullptr) *statistics = stored.statistics;
  try {
    load_stored_weights(model, stored.tensors);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", file.string(), error.what()));
  }
  return stored.step;
}

}  // namespace glidepath
