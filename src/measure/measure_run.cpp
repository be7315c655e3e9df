// src/measure/measure_run.cpp - the measures of weights that a run has left.
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "config/own_programs.h"
#include "core/safe_text.h"
#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "measure/full_gradient.h"
#include "measure/gradient_options.h"
#include "measure/weight_norm.h"
#include "run/run_weights.h"
#include "session/brought.h"
#include "setup/run_setup.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

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

}  // namespace

std::vector<Measurement> measure_run(const fs::path& path, const MeasureOptions& options) {
  const std::vector<MeasureItem> items = items_of(options.what);
  const RunWeights found = find_run_weights(path);
  TrainConfig config = with_programs_of_run(read_run_config(found.run), found.run);
  if (!options.data_dir.empty()) config.data_dir = options.data_dir;
  if (options.threads > 0) config.threads = options.threads;
  const ComputePlan plan = plan_compute(config);
  const Experiment brought = brought_by_plugin(config);
  const Dataset dataset = dataset_of(brought);
  for (const MeasureItem& item : items) require_images(item, dataset, "what");
  const auto model = model_of(brought, dataset, plan);
  const auto task = task_of(brought, dataset, plan, model);
  std::vector<Measurement> measurements;
  for (const fs::path& file : found.files) {
    Measurement measured;
    measured.file = file.lexically_normal();
    std::string statistics;
    measured.step = load_run_weights(file, *model, &statistics);
    for (const MeasureItem& item : items) {
      if (item.what == Measure::kGradNorm) {
        const auto gradient =
            full_gradient(*model, dataset, gradient_options(item, config, plan, dataset, task), plan);
        measured.grad_norm = gradient.norm;
        measured.statistics = item.statistics == NormStatistics::kBatch ? "batch"
                              : item.statistics == NormStatistics::kFresh
                                  ? fmt::format("fresh, {} images", gradient.examples)
                                  : statistics;
        if (item.layers) measured.grad_norms = gradient.norms;
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
