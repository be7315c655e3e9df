// src/measure/measure_run.cpp - the measures of weights that a run has left.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <torch/torch.h>

#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "measure/full_gradient.h"
#include "measure/gradient_options.h"
#include "measure/weight_norm.h"
#include "train/checkpoint.h"
#include "train/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

const std::string kModelPrefix = "model.";

std::vector<MeasureItem> items_of(const std::string& what) {
  std::vector<MeasureItem> items;
  try {
    items = parse_measures(what);
  } catch (const InputError& error) {
    throw InputError(fmt::format("what {}", error.what()));
  }
  const auto refuse = [&](const std::string& reason) {
    throw InputError(fmt::format("what \"{}\": {}", what, reason));
  };
  if (items.empty()) refuse("empty; give grad-norm, weight-norm or both");
  for (const MeasureItem& item : items) {
    if (item.has_moments) refuse("when to measure (@...) is for glidepath train; a file is measured once");
    if (item.what == Measure::kGradNormOnline)
      refuse("taken while a run trains; give it to glidepath train --measure");
    if (item.what == Measure::kEffectiveRate)
      refuse("taken while a run trains; give it to glidepath train --measure");
  }
  return items;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

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

struct Files {
  fs::path run;
  std::vector<fs::path> files;
};

Files files_at(const fs::path& given) {
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
    Files found{is_checkpoints ? path / ".." : path,
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
      throw InputError(fmt::format(
          "{0}: holds no weights yet; train some first: glidepath train --resume {0}", path.string()));
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

/// Puts the weights into the model; a checkpoint's step, or -1.
std::int64_t load_weights(const fs::path& file, Model& model) {
  std::map<std::string, std::string> metadata;
  TensorMap stored = load_safetensors(file, &metadata);
  std::int64_t step = -1;
  if (metadata.count("run_state") > 0) {
    TensorMap all;
    step = read_checkpoint(file, all).step;
    stored.clear();
    for (const auto& [name, tensor] : all) {
      if (name.compare(0, kModelPrefix.size(), kModelPrefix) == 0)
        stored[name.substr(kModelPrefix.size())] = tensor;
    }
  }
  try {
    load_state_dict(model, stored);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", file.string(), error.what()));
  }
  return step;
}

}  // namespace

std::vector<Measurement> measure_run(const fs::path& path, const MeasureOptions& options) {
  const std::vector<MeasureItem> items = items_of(options.what);
  const Files found = files_at(path);
  TrainConfig config = read_run_config(found.run);
  if (!options.data_dir.empty()) config.data_dir = options.data_dir;
  if (options.threads > 0) config.threads = options.threads;
  const ComputePlan plan = plan_compute(config);
  const Dataset dataset = load_limited(config);
  for (const MeasureItem& item : items) require_images(item, dataset, "what");
  const auto model = build_model(config, dataset, plan);
  std::vector<Measurement> measurements;
  for (const fs::path& file : found.files) {
    Measurement measured;
    measured.file = file.lexically_normal();
    measured.step = load_weights(file, *model);
    for (const MeasureItem& item : items) {
      if (item.what == Measure::kGradNorm) {
        const auto gradient =
            full_gradient(*model, dataset, gradient_options(item, config, plan, dataset), plan);
        measured.grad_norm = gradient.norm;
        measured.train_loss = gradient.mean_loss;
      } else {
        WeightNorm norm = weight_norm(*model);
        measured.weight_norm = norm.total;
        if (item.layers) measured.weight_norms = std::move(norm.parameters);
      }
    }
    measurements.push_back(std::move(measured));
  }
  return measurements;
}

}  // namespace glidepath
