// src/loop/trainer_result.cpp - what a run tells of itself: while it goes, and when it has ended.
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/images/corrupt_images.h"
#include "loop/trainer.h"
#include "run/run_weights.h"

namespace glidepath {
namespace {

// A factor this far above the schedule's end is no landing; docs/reliability.md promises less.
constexpr double kLanded = 0.02;

}  // namespace

TrainStatus Trainer::status() {
  TrainStatus status;
  const auto mean = window_.mean(50);
  status.step = meter_.step();
  status.updates = meter_.updates();
  status.epoch = static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch);
  status.progress = meter_.progress();
  status.lr = lr_;
  status.loss = mean.loss;
  status.accuracy = mean.accuracy;
  status.test_loss = evaluation_.loss;
  status.test_accuracy = evaluation_.accuracy;
  status.on_val = dataset_.has_val();
  status.seconds = seconds_spent();
  status.seconds_left = meter_.seconds_left();
  status.images_per_second = training_seconds_ > 0 ? images_here_ / training_seconds_ : 0;
  return status;
}

nlohmann::ordered_json Trainer::summary(const TrainResult& result, const std::string& state) const {
  nlohmann::ordered_json summary = {
      {"status", state},
      {"data", config_.data},
      {"model", config_.model},
      {"schedule", config_.schedule},
      {"budget", budget_text(config_)},
      {"budgets_before", told_changes(budget_state_)},
      {"seed", config_.seed},
      {"test_accuracy", result.test_accuracy},
      {"test_loss", result.test_loss},
      {"bn_images", result.bn_images},
      {"val_images", result.val_images},
      {"train_accuracy", result.train_accuracy},
      {"train_loss", std::isfinite(result.train_loss) ? nlohmann::ordered_json(result.train_loss)
                                                      : nlohmann::ordered_json(nullptr)},
      {"updates", result.updates},
      {"steps_per_epoch", context_.steps_per_epoch},
      {"epochs", result.epochs},
      {"last_update_lr", result.last_update_lr},
      {"final_lr", result.final_lr},
      {"spent",
       {{"updates", result.updates},
        {"epochs", result.epochs},
        {"seconds", result.seconds},
        {"flops", result.flops}}},
      {"rewinds", result.rewinds},
      {"skipped_updates", scaler_ ? scaler_->skipped() : 0},
      {"seconds", result.seconds},
      {"images_per_second", result.images_per_second},
      {"peak_memory_mib", result.peak_memory_mib},
      {"precision", plan_.precision()},
      {"channels_last", plan_.channels_last},
      {"threads", plan_.threads},
      {"ranks", result.ranks},
      {"device", plan_.device.str()}};
  if (result.test_accuracy_running >= 0) {
    summary["test_accuracy_running"] = result.test_accuracy_running;
    summary["test_loss_running"] = result.test_loss_running;
  }
  if (dataset_.has_val()) {
    summary["val_accuracy"] = result.val_accuracy;
    summary["val_loss"] = result.val_loss;
    summary["val_accuracy_running"] = result.val_accuracy_running;
    summary["val_loss_running"] = result.val_loss_running;
  }
  if (result.best) {
    summary["best_update"] = result.best->update;
    summary["best_val_accuracy"] = result.best->val_accuracy;
    summary["best_val_accuracy_running"] = result.best->val_accuracy_running;
    summary["best_test_accuracy"] = result.best->test_accuracy;
    if (result.best->test_accuracy_running >= 0)
      summary["best_test_accuracy_running"] = result.best->test_accuracy_running;
  }
  if (!dataset_.in_memory()) {  // those of the test split are left out of its accuracy and loss
    summary["corrupt_images"] = {{"train", result.corrupt_train_images},
                                 {"test", result.corrupt_test_images}};
    summary["eval_res"] = dataset_.image_options.eval_size;
    summary["tested_on"] = data_record_.tested_on;
  }
  return summary;
}

// Only a clock can end a run before its schedule does: a machine that stood still in the last update.
void Trainer::warn_if_not_landed() const {
  if (!options_.on_warning || !meter_.by_clock() || schedule_.plateau() || updates_here_ == 0) return;
  if (lr_ <= base_lr() * (schedule_(1) + kLanded)) return;
  options_.on_warning(fmt::format(
      "the budget {} was over before the schedule had landed: the last of {} updates used lr {:.4g}, "
      "not {:.4g}; give more time (an evaluation takes {:.1f} s, and --dry-run says what a budget buys)",
      budget_text(config_), meter_.step(), lr_, base_lr() * schedule_(1), agenda_.evaluation_seconds()));
}

void Trainer::tell_tests(const FinalTests& tests, TrainResult& result) const {
  const Tested &running = tests.last.running, &chosen = tests.last.chosen;
  const auto accuracy = [](const std::optional<Evaluation>& tested) {
    return tested ? tested->accuracy : -1;
  };
  result.bn_images = images_of_estimate();
  result.test_accuracy = chosen.test->accuracy;
  result.test_loss = chosen.test->loss;
  result.test_accuracy_running = accuracy(running.test);
  result.test_loss_running = running.test ? running.test->loss : -1;
  if (!chosen.val) return;
  result.val_images = dataset_.val.size();
  result.val_accuracy = chosen.val->accuracy;
  result.val_loss = chosen.val->loss;
  result.val_accuracy_running = running.val->accuracy;
  result.val_loss_running = running.val->loss;
  if (!keeps_best()) return;
  const Tests& best = tests.best ? *tests.best : tests.last;
  result.best = {tests.best ? best_.step() : meter_.step(), best.chosen.val->accuracy,
                 best.running.val->accuracy, best.chosen.test->accuracy, accuracy(best.running.test)};
}

// The curve's last point, where nothing was tested with running statistics there.
void Trainer::record_final_test(const Evaluation& tested) {
  evaluation_ = tested;
  evaluated_step_ = meter_.step();
  record("eval", evaluation_.loss, evaluation_.accuracy);
}

TrainResult Trainer::finish() {
  report_status(true);
  warn_if_not_landed();
  save_checkpoint();
  const auto mean = window_.mean(context_.steps_per_epoch);
  TrainResult result;
  result.updates = meter_.step();
  result.steps_per_epoch = context_.steps_per_epoch;
  result.epochs = static_cast<double>(meter_.step()) / static_cast<double>(context_.steps_per_epoch);
  const FinalTests tests = test_at_the_end();
  tell_tests(tests, result);
  if (!dataset_.has_val() && evaluated_step_ != meter_.step()) record_final_test(*tests.last.chosen.test);
  result.train_loss = mean.loss;
  result.train_accuracy = mean.accuracy;
  result.last_update_lr = lr_;
  result.final_lr = base_lr() * factor_at(1);
  result.images_per_second = training_seconds_ > 0 ? images_here_ / training_seconds_ : 0;
  result.flops = flops_spent();
  if (dataset_.train.corrupt) result.corrupt_train_images = dataset_.train.corrupt->count();
  if (dataset_.test.corrupt) result.corrupt_test_images = dataset_.test.corrupt->count();
  result.precision = plan_.precision();
  result.channels_last = plan_.channels_last;
  result.threads = plan_.threads;
  result.ranks = group() ? group()->size() : 1;
  result.peak_memory_mib = peak_memory_mib();
  result.rewinds = rewinds_;
  std::map<std::string, TensorMap> models = {{kModelFile, tests.last.weights}};
  if (tests.best) models[kBestModelFile] = tests.best->weights;
  const std::string statistics = result.bn_images > 0 && config_.saved_statistics != "running"
                                     ? fmt::format("fresh, {} images", result.bn_images)
                                     : kRunningStatistics;
  const std::map<std::string, std::string> metadata = {
      {"format", "pt"}, {"model", config_.model}, {"data", config_.data}, {kStatistics, statistics}};
  directory_.save_result(models, metadata, [&] {
    result.seconds = seconds_spent();
    return summary(result, "done");
  });
  result.seconds = seconds_spent();
  result.out = directory_.path();
  return result;
}

}  // namespace glidepath
