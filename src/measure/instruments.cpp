// src/measure/instruments.cpp - the measures of a run while it trains.
#include <cmath>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <torch/types.h>

#include "config/measure_text.h"
#include "core/steady_seconds.h"
#include "glidepath/effective_rate.h"
#include "glidepath/error.h"
#include "glidepath/measure.h"
#include "glidepath/online_gradient.h"
#include "loop/measurer.h"
#include "measure/full_gradient.h"
#include "measure/gradient_options.h"
#include "measure/weight_norm.h"

namespace glidepath {
namespace {

/// Which the run has for as long as it is measured.
std::shared_ptr<const Task> its_task(const MeasuredRun& run) { return {std::shared_ptr<void>(), &run.task}; }

using Fields = nlohmann::ordered_json;

void add_if_finite(Fields& fields, const char* name, double value) {
  if (std::isfinite(value)) fields[name] = value;
}

class Instruments : public Measurer {
 public:
  explicit Instruments(const MeasuredRun& run)
      : run_(run), items_(parse_measures(run.config.measure)), parameters_(run.model.parameters()) {
    for (const MeasureItem& item : items_) {
      require_images(item, run.dataset, "measure");
      if (item.what != Measure::kGradNormOnline) continue;
      if (run.steps_per_epoch < 2) {
        throw InputError(fmt::format(
            "measure \"grad-norm-online\": compares batches of one epoch, and an epoch of this run "
            "has one alone; give a batch_size below {}",
            run.dataset.train.size()));
      }
      OnlineGradientOptions options;
      options.training_images = run.dataset.train.size();
      options.steps_per_epoch = run.steps_per_epoch;
      options.peek = item.peek;
      online_.emplace(options);
    }
  }

  Fields take(const std::vector<bool>& due, double lr,
              const std::function<void()>& between_batches) override {
    Fields fields;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!due[i]) continue;
      if (items_[i].what == Measure::kGradNorm) take_gradient(items_[i], fields, between_batches);
      if (items_[i].what == Measure::kWeightNorm) take_weights(items_[i], fields);
      if (items_[i].what == Measure::kEffectiveRate) take_rate(lr, fields);
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {  // last: it begins a new window
      if (due[i] && items_[i].what == Measure::kGradNormOnline) take_estimate(fields);
    }
    return fields;
  }

  double seconds(const std::vector<bool>& due) override {
    double seconds = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (due[i] && items_[i].what == Measure::kGradNorm) seconds += seconds_of_gradient(items_[i]);
    }
    return seconds;
  }

  void after_backward(const UpdateGradients& update) override {
    if (!online_ || !online_->wants(update.step)) return;
    online_->observe(update.step, update.images, update.lr, gradients_of(parameters_),
                     [&] { return gradients_at_present(update.next_batch()); });
  }

  TensorMap state() const override { return online_ ? online_->state() : TensorMap(); }
  void set_state(const TensorMap& state) override {
    if (online_) online_->set_state(state, parameters_);
  }

 private:
  void take_gradient(const MeasureItem& item, Fields& fields, const std::function<void()>& between_batches) {
    const auto found =
        full_gradient(run_.model, run_.dataset,
                      gradient_options(item, run_.config, run_.plan, run_.dataset, its_task(run_)), run_.plan,
                      between_batches);
    fields["grad_norm"] = found.norm;
    fields["train_loss_full"] = found.mean_loss;
    if (!item.layers) return;
    for (const auto& [name, norm] : found.norms) fields["grad_norms"][name] = norm;
  }

  void take_weights(const MeasureItem& item, Fields& fields) {
    const WeightNorm found = weight_norm(run_.model);
    fields["weight_norm"] = found.total;
    if (!item.layers) return;
    for (const auto& [name, norm] : found.parameters) fields["weight_norms"][name] = norm;
  }

  void take_rate(double lr, Fields& fields) {
    const EffectiveRate found = effective_rate(run_.optimizer, lr);
    // Momentum adds a gradient up 1 / (1 - momentum) times in the long run; Adam's mean adds it up once.
    const bool is_sgd = run_.config.optimizer == "sgd";
    add_if_finite(fields, "effective_lr_comparable", is_sgd ? lr / (1 - run_.config.momentum) : found.median);
    add_if_finite(fields, "effective_lr_median", found.median);
    add_if_finite(fields, "effective_lr_q05", found.q05);
    add_if_finite(fields, "effective_lr_q25", found.q25);
    add_if_finite(fields, "effective_lr_q75", found.q75);
    add_if_finite(fields, "effective_lr_q95", found.q95);
  }

  void take_estimate(Fields& fields) {
    const OnlineEstimate found = online_->estimate();
    online_->start_window();
    if (found.pairs == 0) return;
    fields["grad_norm_estimate"] = found.norm();
    add_if_finite(fields, "grad_norm_estimate_error", found.error());
    add_if_finite(fields, "grad_norm_estimate_low", found.low());
    add_if_finite(fields, "grad_norm_estimate_high", found.high());
    fields["grad_norm_squared_estimate"] = found.squared_norm;
    add_if_finite(fields, "grad_norm_squared_error", found.squared_error);
    add_if_finite(fields, "noise_scale", found.noise_scale());
    fields["grad_norm_estimate_may_be_high"] = found.may_be_high(run_.dataset.train.size());
  }

  double seconds_of_gradient(const MeasureItem& item) {
    FullGradientOptions options =
        gradient_options(item, run_.config, run_.plan, run_.dataset, its_task(run_));
    const std::int64_t images = options.images > 0 ? options.images : run_.dataset.train.size();
    options.images = std::min(options.batch_size, images);
    double seconds = 0;
    for (int time = 0; time < 2; ++time) {  // the first one chooses kernels and takes memory
      const double begun = steady_seconds();
      full_gradient(run_.model, run_.dataset, options, run_.plan);
      seconds = steady_seconds() - begun;
    }
    return seconds * static_cast<double>(images) / static_cast<double>(options.images);
  }

  /// As the update after this one will compute them, but for the weights.
  Tensors gradients_at_present(const Batch& batch) {
    const KeepBuffers keep(run_.model.buffers());
    const torch::Tensor loss = training_loss(run_.model, run_.task, batch, run_.plan);
    return gradients_of(loss, parameters_);
  }

  MeasuredRun run_;
  std::vector<MeasureItem> items_;
  Tensors parameters_;
  std::optional<OnlineGradient> online_;
};

}  // namespace

MeasurerFactory instruments() {
  return [](const MeasuredRun& run) { return std::make_shared<Instruments>(run); };
}

}  // namespace glidepath
