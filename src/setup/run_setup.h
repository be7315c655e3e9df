// src/setup/run_setup.h - the parts of a run, made from its configuration.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compute/device.h"
#include "glidepath/budget.h"
#include "glidepath/dataset.h"
#include "glidepath/loader.h"
#include "glidepath/models.h"
#include "glidepath/optimizer.h"
#include "glidepath/process_group.h"
#include "glidepath/resolution.h"
#include "glidepath/schedule.h"
#include "glidepath/task.h"
#include "glidepath/train_config.h"
#include "ranks/ranks.h"
#include "run/data_record.h"

namespace glidepath {

/// A data set with its splits cut to train_limit and test_limit, with the configuration's image options.
/// Throws InputError when it has fewer images, or has its images in memory where sizes are asked for.
/// `record`, where given, becomes that of the whole data set.
Dataset limited(Dataset dataset, const TrainConfig& config, DataRecord* record = nullptr);

/// The same of the one that the configuration names; `tell` is told what takes a while.
Dataset load_limited(const TrainConfig& config, DataRecord* record = nullptr,
                     const std::function<void(const std::string&)>& tell = {});

/// The data set where batches are to be made from it: on the GPU where data_on_device says so, or where it is
/// small enough. Throws InputError where it cannot be there.
Dataset placed(Dataset dataset, const TrainConfig& config, const ComputePlan& plan);

/// Of "script:FILE"; nothing for a built-in network's name.
std::optional<std::string> script_file(const std::string& model);
/// Likewise of "pt2:FILE".
std::optional<std::string> exported_file(const std::string& model);
/// The network that `model` names as it begins: a program, or the one that is built in with these options.
std::shared_ptr<Model> named_model(const TrainConfig& config, const std::function<ModelOptions()>& built_in);

/// A model for the data set's images, initialised from the seed, on the plan's device and in its memory
/// format.
std::shared_ptr<Model> build_model(const TrainConfig& config, const Dataset& dataset,
                                   const ComputePlan& plan);
/// The same with the first weights of a new run: those that depend on training examples too.
std::shared_ptr<Model> new_model(const TrainConfig& config, const Dataset& dataset, const ComputePlan& plan);

/// A model of one's own, likewise placed; torch's generator is seeded as for one that is built.
std::shared_ptr<Model> placed(std::shared_ptr<Model> model, const TrainConfig& config,
                              const ComputePlan& plan);

/// The sizes that training images of an image folder take.
ResolutionSchedule train_resolution(const TrainConfig& config);

/// How the images of an image folder are prepared: what they are resized to, and who decodes them.
ImageOptions image_options(const TrainConfig& config);

/// Floating-point operations, forward and backward, of one image of each of these sizes; nothing where there
/// is one alone. Throws InputError for a model of fixed size, and a budget in operations.
std::map<std::int64_t, double> flops_by_size(const TrainConfig& config, const Dataset& dataset,
                                             const ResolutionSchedule& sizes);

/// This rank's part of the batches; without ranks, all of them.
LoaderOptions loader_options(const TrainConfig& config, const ComputePlan& plan, const Dataset& dataset,
                             const Ranks* ranks = nullptr);

/// Of one example: what the model says, or what a forward pass of a few is seen to take.
Cost cost_of(Model& model, const Dataset& dataset, const ComputePlan& plan);

BudgetContext budget_context(const TrainConfig& config, const Dataset& dataset, const TrainLoader& loader,
                             const Cost& cost);

/// The budget of a run that has spent `spent_seconds` by `unix_seconds`: until the deadline where there is
/// one. Throws InputError for a deadline that has passed.
Budget run_budget(const TrainConfig& config, double spent_seconds, double unix_seconds);

/// `updates` of the budget, or 0 where a clock decides.
Schedule schedule_for(const TrainConfig& config, const BudgetContext& context, std::int64_t updates);

/// What the model is trained for: the task that `task` names, or the data set's. Throws InputError where it
/// does not fit the data set's targets, or options are for other tasks.
/// "own" is what the model brings, a scripted one.
std::unique_ptr<Task> make_task(const TrainConfig& config, const Dataset& dataset, const ComputePlan& plan,
                                const std::shared_ptr<Model>& model);

/// The optimizer that `optimizer` names, with the options that it has. Throws InputError for another name.
std::unique_ptr<Optimizer> make_optimizer(const TrainConfig& config, const NamedTensors& parameters);

}  // namespace glidepath
