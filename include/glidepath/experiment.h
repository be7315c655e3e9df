// include/glidepath/experiment.h - a budgeted run of one's own model, task and data.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "glidepath/callback.h"
#include "glidepath/dataset.h"
#include "glidepath/dry_run.h"
#include "glidepath/model.h"
#include "glidepath/task.h"
#include "glidepath/train.h"

namespace glidepath {

/// What is not given is what `config` names. The model starts from the weights that it has, and has those of
/// the end afterwards; a run that is gone on with (TrainOptions::resume) takes its checkpoint's. With several
/// ranks, rank 0's weights are everyone's.
struct Experiment {
  TrainConfig config;
  std::shared_ptr<Model> model;      ///< of one's own: see module_model()
  std::shared_ptr<const Task> task;  ///< none: classification, by cross entropy
  std::optional<Dataset> data;       ///< of one's own: see own_data()
  /// Asked and called after those of the run itself, in their order.
  std::vector<std::shared_ptr<Callback>> callbacks;
};

/// As train(config, options). config.toml calls a model or data of one's own "own", unless the configuration
/// has another name for it.
TrainResult train(const Experiment& experiment, const TrainOptions& options = {});

/// As dry_run(config, options).
DryRun dry_run(const Experiment& experiment, const TrainOptions& options = {});

}  // namespace glidepath
