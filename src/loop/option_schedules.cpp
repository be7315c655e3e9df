// src/loop/option_schedules.cpp - options of the optimizer that follow progress beside the learning rate.
#include "loop/option_schedules.h"

#include <string>

#include "core/blame.h"

namespace glidepath {
namespace {

std::optional<Schedule> schedule_of(const char* key, const std::string& text,
                                    const ScheduleContext& context) {
  if (text == "const") return std::nullopt;
  return blame(key, [&] { return parse_schedule(text, context); });
}

}  // namespace

OptionSchedules::OptionSchedules(const TrainConfig& config, const BudgetContext& context, const Glide* first)
    : config_(config), steps_per_epoch_(static_cast<double>(context.steps_per_epoch)) {
  if (first != nullptr) read(first->updates());
}

void OptionSchedules::read(std::int64_t updates) {
  if (updates == updates_) return;
  updates_ = updates;
  ScheduleContext context;
  context.updates = static_cast<double>(updates);
  context.steps_per_epoch = steps_per_epoch_;
  weight_decay_ = schedule_of("weight_decay_schedule", config_.weight_decay_schedule, context);
  momentum_ = schedule_of("momentum_schedule", config_.momentum_schedule, context);
}

void OptionSchedules::apply(Optimizer& optimizer, const Glide& glide) {
  read(glide.updates());
  if (!weight_decay_ && !momentum_) return;
  const double progress = glide.progress();
  optimizer.set_shares(weight_decay_ ? (*weight_decay_)(progress) : 1,
                       momentum_ ? (*momentum_)(progress) : 1);
}

}  // namespace glidepath
