// src/cli/train_choices.cpp - what the options of `glidepath train` come to.
#include "cli/train_choices.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "budget/deadline.h"
#include "cli/checks.h"
#include "compute/device_facts.h"
#include "glidepath/budget.h"
#include "glidepath/clock.h"
#include "glidepath/error.h"
#include "glidepath/recipe.h"
#include "glidepath/train.h"
#include "system/cores.h"

namespace glidepath::cli {
namespace {

/// "slurm" stands for the job's end, which is asked for once.
void resolve_slurm(GivenValues& values) {
  const auto budget = values.find("budget");
  if (budget == values.end()) return;
  if (values.count("deadline") != 0)
    throw InputError("--budget and --deadline: give one of them, they both say when the run ends");
  if (budget->second != "slurm") return;
  TrainConfig config;
  set_slurm_deadline(config);
  values.erase(budget);
  values["deadline"] = config.deadline;
}

// --budget replaces a deadline of the file or run, --deadline its budget.
void set_given(TrainConfig& config, const GivenValues& values) {
  if (values.count("budget") != 0) config.deadline.clear();
  for (const auto& [key, text] : values) set_config_value(config, key, text);
}

/// Of a budget in time.
std::optional<double> seconds_of(const TrainConfig& config) {
  if (!config.deadline.empty()) return parse_deadline(config.deadline) - wall_clock_seconds();
  const Budget budget = parse_budget(config.budget);
  return budget.unit == BudgetUnit::kSeconds ? std::optional<double>(budget.amount) : std::nullopt;
}

/// Recipes were chosen on two cores. A GPU counts as two hundred: what takes two cores seven minutes takes
/// one a few seconds.
double speed_for(const TrainConfig& config) {
  constexpr double kCores = 2, kCoresOfAGpu = 200;
  const bool may_use_gpu = config.device != "cpu" && device_facts().gpus > 0;
  const auto cores = static_cast<double>(config.threads > 0 ? config.threads : usable_cores());
  return (may_use_gpu ? kCoresOfAGpu : cores) / kCores;
}

/// Who names a part of the method and no recipe gets the paper's protocol for the rest of it.
bool names_method(const TrainArguments& arguments) {
  return arguments.batch_size_per_rank > 0 || arguments.scale_lr != "none" ||
         !std::all_of(arguments.values.begin(), arguments.values.end(),
                      [](const auto& value) { return leaves_recipe_open(value.first); });
}

/// What a run begins with that is given no file.
RecipeChoice choose_recipe_for(const TrainArguments& arguments) {
  TrainConfig given;
  set_given(given, arguments.values);
  RecipeRequest request{given.data, seconds_of(given), 1};
  if (request.seconds) request.speed = speed_for(given);
  if (arguments.recipe.empty()) return choose_recipe(names_method(arguments) ? "plain" : "auto", request);
  try {
    return choose_recipe(arguments.recipe, request);
  } catch (const InputError& error) {
    throw InputError(fmt::format("--{}", error.what()));  // it begins with the name of the option
  }
}

TrainConfig make_config(TrainArguments& arguments) {
  RecipeChoice start{"plain", {}};
  if (!arguments.resume.empty()) {
    start.config = read_run_config(arguments.resume);
  } else if (!arguments.config_file.empty()) {
    start.config = read_train_config(arguments.config_file);
  } else {
    start = choose_recipe_for(arguments);
  }
  TrainConfig& config = start.config;
  set_given(config, arguments.values);
  if (start.name != "plain") {
    arguments.told = fmt::format("recipe {}: {} at width {:g}, {}, batches of {}{}", start.name, config.model,
                                 config.width, config.optimizer, config.batch_size,
                                 arguments.recipe.empty() ? "; --recipe plain for the paper's protocol" : "");
  }
  return config;
}

/// What is said of one process is recorded for the whole job, so that it can go on with another number.
void set_for_ranks(TrainConfig& config, const TrainArguments& arguments, int ranks) {
  if (arguments.batch_size_per_rank > 0) {
    if (!arguments.resume.empty())
      throw InputError("--batch-size-per-rank: cannot be given with --resume; a run keeps its batch_size");
    set_config_value(config, "batch_size", std::to_string(arguments.batch_size_per_rank * ranks));
  }
  if (arguments.scale_lr == "none") return;
  if (!arguments.resume.empty())
    throw InputError("--scale-lr: cannot be given with --resume; a run keeps its base_lr");
  const double times =
      static_cast<double>(config.batch_size) / static_cast<double>(arguments.reference_batch);
  config.base_lr *= arguments.scale_lr == "linear" ? times : std::sqrt(times);
}

}  // namespace

TrainConfig chosen_config(TrainArguments& arguments, int ranks) {
  resolve_slurm(arguments.values);
  TrainConfig config = make_config(arguments);
  set_for_ranks(config, arguments, ranks);
  return config;
}

}  // namespace glidepath::cli
