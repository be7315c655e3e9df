// src/loop/option_schedules.h - options of the optimizer that follow progress beside the learning rate.
#pragma once
#include <cstdint>
#include <optional>

#include "glidepath/budget.h"
#include "glidepath/glide.h"
#include "glidepath/optimizer.h"
#include "glidepath/schedule.h"
#include "glidepath/train_config.h"

namespace glidepath {

/// Weight decay and momentum by their schedules. A function of progress, so nothing of it is saved.
class OptionSchedules {
 public:
  /// The configuration outlives it. `first` is that of a new run: throws InputError that names the option for
  /// a schedule that needs what is not known of it.
  OptionSchedules(const TrainConfig& config, const BudgetContext& context, const Glide* first);
  /// Before an update.
  void apply(Optimizer& optimizer, const Glide& glide);

 private:
  void read(std::int64_t updates);

  const TrainConfig& config_;
  double steps_per_epoch_;
  std::int64_t updates_ = -1;  // that the schedules are for: another budget may come on the way
  std::optional<Schedule> weight_decay_, momentum_;  // none: as the options say
};

}  // namespace glidepath
