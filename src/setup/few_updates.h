// src/setup/few_updates.h - advice where a budget buys too few updates.
#pragma once
#include <cstdint>
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

/// One sentence on what would make more of them; empty where there are enough, and where the budget is given
/// in updates, by somebody who knows. Smaller batches make more of any other budget, by a clock at least
/// where an update takes as long as its images; narrower networks make more of a clock's.
std::string few_updates_advice(const TrainConfig& config, std::int64_t updates);

}  // namespace glidepath
