// src/session/brought.h - what a run's plug-in brings, for who looks at the run afterwards.
#pragma once
#include "glidepath/plugin.h"
#include "setup/run_setup.h"

namespace glidepath {

/// Nothing where there is no plug-in.
inline Experiment brought_by_plugin(const TrainConfig& config) {
  Experiment experiment{config, {}, {}, {}, {}};
  if (!config.plugin.empty()) extend_by_plugin(config.plugin, experiment);
  return experiment;
}

/// The data set, the model and the task of a run: what was brought, and else what its configuration names.
inline Dataset dataset_of(const Experiment& brought,
                          const std::function<void(const std::string&)>& tell = {}) {
  return brought.data ? limited(*brought.data, brought.config) : load_limited(brought.config, nullptr, tell);
}
inline std::shared_ptr<Model> model_of(const Experiment& brought, const Dataset& dataset,
                                       const ComputePlan& plan) {
  return brought.model ? placed(brought.model, brought.config, plan)
                       : build_model(brought.config, dataset, plan);
}
inline std::shared_ptr<const Task> task_of(const Experiment& brought, const Dataset& dataset,
                                           const ComputePlan& plan, const std::shared_ptr<Model>& model) {
  return brought.task ? brought.task : make_task(brought.config, dataset, plan, model);
}

}  // namespace glidepath
