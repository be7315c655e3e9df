// src/loop/trainer_measures.cpp - the moments at which a run asks its instruments.
#include <algorithm>

#include <fmt/format.h>

#include "config/measure_text.h"
#include "glidepath/error.h"
#include "loop/trainer.h"

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
  if (is_rank_0())
    measurer_ = options_.measurer({config_, dataset_, plan_, *optimizer_, *model_, context_.steps_per_epoch});
}

const Batch& Trainer::next_batch() {
  if (group()) return next_whole_batch();
  if (!peeked_) peeked_ = batches_.next();
  return *peeked_;
}

Batch Trainer::take_batch() {
  const DataWatch::MayStop here(data_watch_);
  if (!peeked_) return batches_.next();
  Batch batch = std::move(*peeked_);
  peeked_.reset();
  return batch;
}

void Trainer::measure_on_the_way() {
  measure(agenda_.measures_due(meter_));
  if (!is_rank_0() || meter_.step() > 0 || !meter_.by_clock() ||
      meter_.clock().has_time_for(0, seconds_spent()))
    return;
  throw RunError(
      fmt::format("budget \"{}\": nothing is left for training after a first measuring of {:.1f} s, "
                  "and the last needs as much; give at least {:.0f}s, or measure less",
                  config_.budget, agenda_.measuring_seconds(),
                  std::ceil(2 * (seconds_spent() + meter_.clock().kept_back()))));
}

void Trainer::measure_at_the_end() {
  if (agenda_.measures() == 0) return;
  const std::vector<bool> missing = agenda_.measures_missing_at(meter_.step());
  if (agreement_.rank_0_says(std::find(missing.begin(), missing.end(), true) != missing.end()))
    measure(missing);
}

void Trainer::measure(const std::vector<bool>& which) {
  const DataWatch::MayStop here(data_watch_);
  const double begun = now();
  const double lr = base_lr() * factor_at(meter_.progress());
  // Rank 0 measures, the others wait for it to agree; a signal is then seen by all.
  nlohmann::ordered_json fields;
  if (measurer_)
    fields = measurer_->take(which, lr, [this] {
      if (!group()) stop_if_asked();
    });
  agreement_.agree();
  agenda_.measured(which, now() - begun, meter_);
  if (fields.empty()) return;  // before the first pair of gradients, for example
  auto record = moment("measure");
  record["lr"] = lr;
  record.update(fields);
  record["seconds"] = seconds_spent();
  directory_.append_metrics(record);
}

void Trainer::estimate_measuring() {
  if (measurer_) agenda_.measuring_takes(measurer_->seconds(std::vector<bool>(agenda_.measures(), true)));
}

void Trainer::take_measures(const TensorMap& saved) {
  peeked_.reset();
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
  best_.add_to(tensors);
  if (!measurer_) return tensors;
  for (const auto& [name, tensor] : measurer_->state()) tensors[kMeasurePrefix + name] = tensor;
  return tensors;
}

}  // namespace glidepath
