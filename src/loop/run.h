// src/loop/run.h - the parts of a run, as what happens in it sees them.
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "compute/device.h"
#include "glidepath/dataset.h"
#include "glidepath/glide.h"
#include "glidepath/models.h"
#include "glidepath/optimizer.h"
#include "glidepath/train.h"
#include "loop/data_watch.h"
#include "loop/evaluate.h"
#include "loop/feed.h"
#include "loop/image_sizes.h"
#include "loop/logbook.h"
#include "loop/stopwatch.h"
#include "loop/tally.h"
#include "ranks/ranks.h"

namespace glidepath {

/// Owned by the session, and outlived by it.
struct Run {
  const TrainConfig& config;
  const TrainOptions& options;  ///< whom to tell; on other ranks than the first nobody
  Ranks& ranks;
  const ComputePlan& plan;
  const Dataset& dataset;
  DataWatch& data;
  Model& model;
  const Optimizer& optimizer;
  Glide& glide;
  ImageSizes& sizes;
  Feed& feed;
  Tally& tally;
  Logbook& log;
  const Stopwatch& stopwatch;

  double seconds_spent() const { return stopwatch.spent(ranks.now()); }
  double epochs() const;  ///< passes over the training set done
  bool rewinds_on_divergence() const { return config.on_divergence == "rewind"; }

  /// A collective: whether weights, the optimizer's state and statistics are finite on all ranks. A loss may
  /// be and the update it makes not: such weights are no good checkpoint. The next update will say so; a
  /// checkpoint does not, as when it is due may depend on a clock, and where a run diverges must not.
  bool is_finite() const;
  /// Throws Diverged where it is not.
  void require_finite() const;

  /// The fields that every line of the metrics begins with.
  nlohmann::ordered_json moment(const char* kind) const;
  /// A line of the metrics.
  void record(const char* kind, double loss, double accuracy) const;
  /// `tested`: the last evaluation.
  TrainStatus status(const Evaluation& tested) const;
};

}  // namespace glidepath
