// src/loop/feed/run_data.h - the data set of a run, on its way to be trained on.
#pragma once
#include <optional>

#include "compute/device.h"
#include "glidepath/dataset.h"
#include "glidepath/train.h"
#include "loop/feed/data_watch.h"
#include "ranks/ranks.h"
#include "run/data_record.h"

namespace glidepath {

struct RunData {
  /// `own`: in place of the data set that the configuration names.
  RunData(const TrainConfig& config, const std::optional<Dataset>& own, const TrainOptions& options,
          const Ranks& ranks, const ComputePlan& plan);

  DataRecord record;  ///< of the whole data set
  Dataset set;        ///< its splits cut to the limits, where batches are to be made from it
  DataWatch watch;
};

}  // namespace glidepath
