// src/loop/run.h - the parts of a run, put together.
#pragma once
#include <memory>

#include <nlohmann/json.hpp>

#include "compute/device.h"
#include "evaluation/evaluate.h"
#include "glidepath/budget.h"
#include "glidepath/experiment.h"
#include "glidepath/glide.h"
#include "glidepath/model.h"
#include "glidepath/optimizer.h"
#include "glidepath/train.h"
#include "loop/feed/feed.h"
#include "loop/feed/image_sizes.h"
#include "loop/feed/run_data.h"
#include "loop/logbook.h"
#include "loop/option_schedules.h"
#include "loop/stopwatch.h"
#include "loop/tally.h"
#include "ranks/ranks.h"

namespace glidepath {

/// The folder of the run that is gone on with; empty of a new one.
std::filesystem::path folder_to_resume(const TrainOptions& options);

/// What a run is made of, each part made of those above it. Updates and callbacks are made of a run.
struct Run {
  /// Checks the input; no run directory is touched. A run that is to be resumed has no schedule until its
  /// checkpoint is read: it keeps that of its first budget, whose warm-up a shorter one need not hold.
  Run(const Experiment& experiment, const TrainOptions& options);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  TrainConfig config;
  Ranks ranks;
  const TrainOptions options;  ///< whom to tell; on other ranks than the first nobody
  Stopwatch stopwatch;
  const ComputePlan plan;
  RunData data;
  ImageSizes sizes;
  Feed feed;
  const std::shared_ptr<Model> model;
  const std::shared_ptr<const Task> task;
  const std::unique_ptr<Optimizer> optimizer;
  const BudgetContext context;
  Glide glide;
  OptionSchedules option_schedules;
  Tally tally;
  Logbook log;

  /// What the model is made from: of a run that goes on the program that it has kept.
  TrainConfig model_config() const;
  double seconds_spent() const { return stopwatch.spent(ranks.now()); }
  double epochs() const;  ///< passes over the training set done
  bool rewinds_on_divergence() const { return config.on_divergence == "rewind"; }
  /// Of a glide for this run, whose time the loop tells. Refers to the run.
  GlideOptions glide_options() const;

  /// A collective: whether weights, the optimizer's state and statistics are finite on all ranks. A loss may
  /// be and the update it makes not: such weights are no good checkpoint. The next update will say so; a
  /// checkpoint does not, as when it is due may depend on a clock, and where a run diverges must not.
  bool is_finite() const;
  /// Throws Diverged where it is not.
  void require_finite();

  /// The fields that every line of the metrics begins with.
  nlohmann::ordered_json moment(const char* kind) const;
  /// A line of the metrics; `more` is an object.
  void record(const char* kind, double loss, double accuracy,
              const nlohmann::ordered_json& more = nlohmann::ordered_json::object());
  /// The same of an evaluation, with what the task tells beside loss and accuracy.
  void record_evaluation(const Evaluation& tested);
  /// `tested`: the last evaluation.
  TrainStatus status(const Evaluation& tested);
};

}  // namespace glidepath
