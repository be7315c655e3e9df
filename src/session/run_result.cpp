// src/session/run_result.cpp - what a run comes to, and the files that say so.
#include "session/run_result.h"

#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <torch/types.h>

#include "data/images/corrupt_images.h"
#include "files/json_text.h"
#include "run/budget_state.h"
#include "run/run_weights.h"
#include "setup/budget_change.h"

namespace glidepath {
namespace {

double accuracy_of(const std::optional<Evaluation>& tested) { return tested ? tested->accuracy : -1; }

}  // namespace

TrainResult RunResult::finish() {
  tell_training();
  const FinalTests tests = callbacks_.tester.test();
  tell_tests(tests);
  if (!run_.data.set.has_val() && !callbacks_.evaluator.is_up_to_date())
    callbacks_.evaluator.record_final(*tests.last.chosen.test);
  save(tests);
  result_.seconds = run_.seconds_spent();
  result_.out = run_.log.directory().path();
  result_.summary = json_text(summary("done"));
  return result_;
}

void RunResult::save_diverged(const Diverged& divergence) {
  result_.updates = divergence.update;
  result_.train_loss = divergence.loss;
  auto told = summary("diverged");
  told["divergence"] = {
      {"update", divergence.update}, {"lr", divergence.lr}, {"first_not_finite", divergence.where}};
  run_.log.directory().save_summary(told);
}

void RunResult::tell_training() {
  const auto mean = run_.tally.mean(run_.context.steps_per_epoch);
  result_.updates = run_.glide.step();
  result_.steps_per_epoch = run_.context.steps_per_epoch;
  result_.epochs = run_.epochs();
  result_.train_loss = mean.loss;
  result_.train_accuracy = mean.accuracy;
  result_.last_update_lr = run_.tally.lr();
  result_.final_lr = run_.glide.final_lr();
  result_.images_per_second = run_.tally.images_per_second();
  result_.flops = run_.sizes.flops_spent(run_.glide.step(), run_.context);
  result_.precision = run_.plan.precision();
  result_.channels_last = run_.plan.channels_last;
  result_.threads = run_.plan.threads;
  result_.ranks = run_.ranks.size();
}

void RunResult::tell_tests(const FinalTests& tests) {
  const Tested &running = tests.last.running, &chosen = tests.last.chosen;
  result_.bn_images = callbacks_.tester.images_of_estimate();
  result_.test_accuracy = chosen.test->accuracy;
  result_.test_loss = chosen.test->loss;
  result_.test_accuracy_running = accuracy_of(running.test);
  result_.test_loss_running = running.test ? running.test->loss : -1;
  const Dataset& dataset = run_.data.set;
  if (dataset.train.corrupt) result_.corrupt_train_images = dataset.train.corrupt->count();
  if (dataset.test.corrupt) result_.corrupt_test_images = dataset.test.corrupt->count();
  result_.peak_memory_mib = peak_memory_mib();
  if (!chosen.val) return;
  result_.val_images = dataset.val.size();
  result_.val_accuracy = chosen.val->accuracy;
  result_.val_loss = chosen.val->loss;
  result_.val_accuracy_running = running.val->accuracy;
  result_.val_loss_running = running.val->loss;
  if (callbacks_.evaluator.keeps_best()) tell_best(tests);
}

void RunResult::tell_best(const FinalTests& tests) {
  const WeightTests& best = tests.best ? *tests.best : tests.last;
  const std::int64_t step = tests.best ? callbacks_.evaluator.best().step() : run_.glide.step();
  result_.best = {step, best.chosen.val->accuracy, best.running.val->accuracy, best.chosen.test->accuracy,
                  accuracy_of(best.running.test)};
}

void RunResult::save(const FinalTests& tests) {
  std::map<std::string, TensorMap> models = {{kModelFile, tests.last.weights}};
  if (tests.best) models[kBestModelFile] = tests.best->weights;
  const std::string statistics = result_.bn_images > 0 && run_.config.saved_statistics != "running"
                                     ? fmt::format("fresh, {} images", result_.bn_images)
                                     : kRunningStatistics;
  const std::map<std::string, std::string> metadata = {
      {"format", "pt"}, {"model", run_.config.model}, {"data", run_.config.data}, {kStatistics, statistics}};
  run_.log.directory().save_result(models, metadata, [&] {
    result_.seconds = run_.seconds_spent();
    return summary("done");
  });
}

nlohmann::ordered_json RunResult::summary(const std::string& status) const {
  const BudgetState budget = run_.glide.state().budget;
  nlohmann::ordered_json summary = {
      {"status", status},
      {"data", run_.config.data},
      {"model", run_.config.model},
      {"schedule", run_.config.schedule},
      {"budget", budget_text(run_.config)},
      {"budgets_before", told_changes(budget)},
      {"seed", run_.config.seed},
      {"test_accuracy", result_.test_accuracy},
      {"test_loss", result_.test_loss},
      {"bn_images", result_.bn_images},
      {"val_images", result_.val_images},
      {"train_accuracy", result_.train_accuracy},
      {"train_loss", std::isfinite(result_.train_loss) ? nlohmann::ordered_json(result_.train_loss)
                                                       : nlohmann::ordered_json(nullptr)},
      {"updates", result_.updates},
      {"steps_per_epoch", run_.context.steps_per_epoch},
      {"epochs", result_.epochs},
      {"last_update_lr", result_.last_update_lr},
      {"final_lr", result_.final_lr},
      {"spent",
       {{"updates", result_.updates},
        {"epochs", result_.epochs},
        {"seconds", result_.seconds},
        {"flops", result_.flops}}},
      {"rewinds", result_.rewinds},
      {"skipped_updates", skipped_updates_},
      {"seconds", result_.seconds},
      {"images_per_second", result_.images_per_second},
      {"peak_memory_mib", result_.peak_memory_mib},
      {"precision", run_.plan.precision()},
      {"channels_last", run_.plan.channels_last},
      {"threads", run_.plan.threads},
      {"ranks", result_.ranks},
      {"device", run_.plan.device.str()}};
  add_tests(summary);
  return summary;
}

void RunResult::add_tests(nlohmann::ordered_json& summary) const {
  if (result_.test_accuracy_running >= 0) {
    summary["test_accuracy_running"] = result_.test_accuracy_running;
    summary["test_loss_running"] = result_.test_loss_running;
  }
  if (run_.data.set.has_val()) {
    summary["val_accuracy"] = result_.val_accuracy;
    summary["val_loss"] = result_.val_loss;
    summary["val_accuracy_running"] = result_.val_accuracy_running;
    summary["val_loss_running"] = result_.val_loss_running;
  }
  if (result_.best) {
    summary["best_update"] = result_.best->update;
    summary["best_val_accuracy"] = result_.best->val_accuracy;
    summary["best_val_accuracy_running"] = result_.best->val_accuracy_running;
    summary["best_test_accuracy"] = result_.best->test_accuracy;
    if (result_.best->test_accuracy_running >= 0)
      summary["best_test_accuracy_running"] = result_.best->test_accuracy_running;
  }
  if (run_.data.set.in_memory()) return;
  summary["corrupt_images"] = {{"train", result_.corrupt_train_images},  // those of the test split are left
                               {"test", result_.corrupt_test_images}};   // out of its accuracy and loss
  summary["eval_res"] = run_.data.set.image_options.eval_size;
  summary["tested_on"] = run_.data.record.tested_on;
}

}  // namespace glidepath
