// src/config/budget_scale.h - base_lr and weight_decay for a budget that is not the full one.
#pragma once
#include <cstdint>
#include <string>

#include "glidepath/train_config.h"

namespace glidepath {

/// What an option is multiplied by, as text: off, budget^-0.32 (the share of the full budget to this power)
/// and, of weight decay alone, timescale.
struct BudgetScale {
  enum class Kind {
    kOff,
    kPower,
    kTimescale  ///< base_lr * weight_decay * updates stays what it is at the full budget
  } kind = Kind::kOff;
  double exponent = 0;    ///< in [-2, 2], of kPower
  std::string canonical;  ///< what every spelling shares

  /// Throws InputError for other texts.
  static BudgetScale parse(const std::string& text, bool may_be_timescale);
};

/// Whether anything of the configuration depends on its budget so.
bool scales_by_budget(const TrainConfig& config);

/// Throws InputError where budget and full budget cannot be compared: by a deadline, or in units of which
/// none tells the other. Percent can always be, one unit with itself, and it with ep.
void check_budget_scales(const TrainConfig& config);

/// budget / full, > 0. As check_budget_scales(). steps_per_epoch > 0 counts where one is in it, the other in
/// ep.
double share_of_full_budget(const TrainConfig& config, std::int64_t steps_per_epoch);

/// With base_lr, weight_decay and the numbers of weight_decay_of as the run has them; as it is where nothing
/// scales.
TrainConfig at_its_budget(TrainConfig config, std::int64_t steps_per_epoch);

/// "at 10 % of the full budget base_lr is 0.1 * 2.089 = 0.2089 (budget^-0.32), ..."; empty where nothing
/// scales.
std::string told_budget_scales(const TrainConfig& config, std::int64_t steps_per_epoch);

}  // namespace glidepath
