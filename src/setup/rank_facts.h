// src/setup/rank_facts.h - what a rank trains, as it sees it.
#pragma once
#include "compute/device.h"
#include "glidepath/dataset.h"
#include "glidepath/train_config.h"
#include "ranks/same_on_all.h"
#include "run/data_record.h"

namespace glidepath {

/// What has to be the same on all ranks, or their collectives would not be: every option that has a part in
/// the result, and what became of it on this machine.
Facts rank_facts(const TrainConfig& config, const Dataset& dataset, const DataRecord& record,
                 const ComputePlan& plan);

}  // namespace glidepath
