// src/train/trainer_measures.cpp - the moments at which a run asks its instruments.
#include <algorithm>

#include <fmt/format.h>

#include "glidepath/error.h"
#include "train/trainer.h"

namespace glidepath {

void Trainer::prepare_measures() {
  const std::vector<MeasureItem> items = parse_measures(config_.measure);
  if (items.empty()) return;
  if (!options_.measurer) {
    throw InputError(
        fmt::format("measure \"{}\": this program has no instruments; give TrainOptions::measurer those of "
                    "glidepath/measure.h",
                    config_.measure));
  }
  for (const MeasureItem& item : items) measure_plans_.emplace_back(item, context_);
  measures_.resize(items.size());
  if (is_rank_0())
    measurer_ = options_.measurer({config_, dataset_, plan_, *optimizer_, *model_, context_.steps_per_epoch});
}

const Batch& Trainer::next_batch() {
  if (group()) return next_whole_batch();
  if (!peeked_) peeked_ = batches_.next();
  return *peeked_;
}

Batch Trainer::take_batch() {
  if (!peeked_) return batches_.next();
  Batch batch = std::move(*peeked_);
  peeked_.reset();
  return batch;
}

void Trainer::measure_if_due() {
  if (measures_.empty() || meter_.finished()) return;
  std::vector<bool> due;
  for (std::size_t i = 0; i < measures_.size(); ++i)
    due.push_back(measure_plans_[i].due(meter_.step(), meter_.progress()) > measures_[i].done);
  if (std::find(due.begin(), due.end(), true) == due.end()) return;
  // One that would leave hardly any time is left to the end, as an evaluation is.
  const bool is_late = meter_.by_clock() && meter_.step() > 0 &&
                       !meter_.clock().has_time_for(measuring_seconds_, seconds_spent());
  if (is_late) return skip_measures(due);
  measure(due);
  if (meter_.step() > 0 || !meter_.by_clock() || meter_.clock().has_time_for(0, seconds_spent())) return;
  throw RunError(fmt::format(
      "budget \"{}\": nothing is left for training after a first measuring of {:.1f} s, "
      "and the last needs as much; give at least {:.0f}s, or measure less",
      config_.budget, measuring_seconds_, std::ceil(2 * (seconds_spent() + meter_.clock().kept_back()))));
}

void Trainer::skip_measures(const std::vector<bool>& due) {
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    if (due[i]) measures_[i].done = measure_plans_[i].due(meter_.step(), meter_.progress());
  }
}

void Trainer::measure_at_the_end() {
  if (measures_.empty()) return;
  std::vector<bool> due;
  for (const MeasureState& state : measures_) due.push_back(state.step != meter_.step());
  if (std::find(due.begin(), due.end(), true) != due.end()) measure(due);
}

void Trainer::measure(const std::vector<bool>& due) {
  const double begun = now();
  const double lr = base_lr() * factor_at(meter_.progress());
  // Rank 0 measures, the others wait for it to agree; a signal is then seen by all.
  nlohmann::ordered_json fields;
  if (measurer_)
    fields = measurer_->take(due, lr, [this] {
      if (!group()) stop_if_asked();
    });
  agreement_.agree();
  skip_measures(due);
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    if (due[i]) measures_[i].step = meter_.step();
  }
  if (std::find(due.begin(), due.end(), false) == due.end()) {
    measuring_seconds_ = now() - begun;
    plan_final_cost();
  }
  if (fields.empty()) return;  // before the first pair of gradients, for example
  auto record = moment("measure");
  record["lr"] = lr;
  record.update(fields);
  record["seconds"] = seconds_spent();
  directory_.append_metrics(record);
}

// After a budget was changed its moments are others: those before this one are past.
void Trainer::plan_measures_anew() {
  for (std::size_t i = 0; i < measures_.size(); ++i) {
    measures_[i].done = meter_.step() == 0 ? 0 : measure_plans_[i].due(meter_.step(), meter_.progress());
  }
}

void Trainer::estimate_measuring() {
  if (measurer_) measuring_seconds_ = measurer_->seconds(std::vector<bool>(measures_.size(), true));
  if (!measures_.empty()) measuring_seconds_ = agreement_.from_rank_0(measuring_seconds_);
}

double Trainer::measuring_seconds_of(std::int64_t updates) const {
  std::int64_t moments = 0;
  for (const MeasurePlan& plan : measure_plans_) moments = std::max(moments, plan.moments(updates));
  return static_cast<double>(moments) * measuring_seconds_;
}

void Trainer::take_measures(const TensorMap& saved, const RunState& state) {
  peeked_.reset();
  if (measures_.empty()) return;
  measures_.assign(measure_plans_.size(), {});
  for (std::size_t i = 0; i < std::min(measures_.size(), state.measures.size()); ++i)
    measures_[i] = state.measures[i];
  if (!measurer_) return;
  TensorMap own;
  for (const auto& [name, tensor] : saved) {
    if (name.compare(0, kMeasurePrefix.size(), kMeasurePrefix) == 0)
      own[name.substr(kMeasurePrefix.size())] = tensor;
  }
  measurer_->set_state(own);
}

TensorMap Trainer::tensors() {
  TensorMap tensors = checkpoint_tensors(*model_, *optimizer_, window_, plan_.device);
  if (scaler_) tensors[kLossScaler] = scaler_->state();
  if (!measurer_) return tensors;
  for (const auto& [name, tensor] : measurer_->state()) tensors[kMeasurePrefix + name] = tensor;
  return tensors;
}

}  // namespace glidepath
