// src/session/run_result.cpp - what a run comes to, and the files that say so.
#include "session/run_result.h"

#include <map>
#include <optional>
#include <variant>

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

std::optional<Scores> scores_of(const Tested& tested) {
  if (!tested.test) return std::nullopt;
  Scores scores{tested.test->accuracy, tested.test->loss, 0, 0};
  if (tested.val) {
    scores.val_accuracy = tested.val->accuracy;
    scores.val_loss = tested.val->loss;
  }
  return scores;
}

}  // namespace

RunResult::RunResult(Run& run, Callbacks& callbacks) : run_(run), callbacks_(callbacks) {
  result_.steps_per_epoch = run_.context.steps_per_epoch;
  if (run_.data.set.has_val()) result_.val_images = run_.data.set.val.size();
  result_.precision = run_.plan.precision();
  result_.channels_last = run_.plan.channels_last;
  result_.threads = run_.plan.threads;
  result_.ranks = run_.ranks.size();
}

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
  result_.epochs = run_.epochs();
  result_.train_loss = mean.loss;
  result_.train_accuracy = mean.accuracy;
  result_.last_update_lr = run_.tally.lr();
  result_.final_lr = run_.glide.final_lr();
  result_.images_per_second = run_.tally.images_per_second();
  result_.flops = run_.sizes.flops_spent(run_.glide.step(), run_.context);
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
  result_.over_views = scores_of(tests.last.over_views);
  if (tests.average) {
    result_.average = scores_of(tests.average->chosen);
    result_.average_over_views = scores_of(tests.average->over_views);
  }
  tell_metrics(tests);
  if (!chosen.val) return;
  result_.val_accuracy = chosen.val->accuracy;
  result_.val_loss = chosen.val->loss;
  result_.val_accuracy_running = running.val->accuracy;
  result_.val_loss_running = running.val->loss;
  if (callbacks_.evaluator.keeps_best()) tell_best(tests);
}

// What the accuracy of classification is has had its own numbers since the first version.
void RunResult::tell_metrics(const FinalTests& tests) {
  const std::vector<Metric>& metrics = run_.task->metrics();
  result_.score = metrics.empty() ? "test_loss" : "test_" + metrics.front().name;
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!metrics[i].value) continue;
    const auto tell = [&](const std::string& before, const std::optional<Evaluation>& tested,
                          const char* after = "") {
      if (!tested || i >= tested->metrics.size()) return;  // a checkpoint of before kept none
      ToldMetric told = told_metric(metrics[i], tested->metrics[i]);
      told.name = before + told.name + after;
      result_.metrics.push_back(told);
    };
    const auto tell_both = [&](const std::string& before, const Tested& tested, const char* after = "") {
      tell(before + "test_", tested.test, after);
      tell(before + "val_", tested.val, after);
    };
    tell_both("", tests.last.chosen);
    tell_both("", tests.last.running, "_running");
    tell_both("tta_", tests.last.over_views);
    if (tests.average) tell_both("average_", tests.average->chosen);
    if (callbacks_.evaluator.keeps_best())
      tell_both("best_", tests.best ? tests.best->chosen : tests.last.chosen);
  }
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
  if (tests.average) models[kAverageModelFile] = tests.average->weights;
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

// Numbers by the one table of them, between the facts that they belong to.
nlohmann::ordered_json RunResult::summary(const std::string& status) const {
  nlohmann::ordered_json summary = {{"status", status},
                                    {"data", run_.config.data},
                                    {"model", run_.config.model},
                                    {"schedule", run_.config.schedule},
                                    {"budget", budget_text(run_.config)},
                                    {"budgets_before", told_changes(run_.glide.state().budget)},
                                    {"seed", run_.config.seed}};
  add(summary, SummaryPart::kTraining);
  // What a budget can be given in, told together; flops are here alone.
  nlohmann::ordered_json spent = {
      {"updates", result_.updates}, {"epochs", result_.epochs}, {"seconds", result_.seconds}};
  add(spent, SummaryPart::kSpent);
  summary["spent"] = spent;
  add(summary, SummaryPart::kCost);
  summary["precision"] = result_.precision;
  summary["channels_last"] = result_.channels_last;
  add(summary, SummaryPart::kProcesses);
  summary["device"] = run_.plan.device.str();
  for (const SummaryPart part : {SummaryPart::kTests, SummaryPart::kBest, SummaryPart::kBestTests})
    add(summary, part);
  for (const ToldMetric& told : result_.metrics)
    summary[told.name] = told.value;  // of tasks of one's own, too
  if (!result_.score.empty() && result_.score != "test_accuracy") summary["score"] = result_.score;
  if (run_.data.set.in_memory()) return summary;
  summary["corrupt_images"] = {{"train", result_.corrupt_train_images},  // those of the test split are left
                               {"test", result_.corrupt_test_images}};   // out of its accuracy and loss
  summary["eval_res"] = run_.data.set.image_options.eval_size;
  summary["tested_on"] = run_.data.record.tested_on;
  return summary;
}

// A loss that is not finite becomes null, as JSON knows no such number.
void RunResult::add(nlohmann::ordered_json& summary, SummaryPart part) const {
  for (const ResultNumber& number : result_numbers()) {
    if (number.part != part) continue;
    if (const auto value = number.of(result_))
      std::visit([&](const auto& plain) { summary[number.name] = plain; }, *value);
  }
}

}  // namespace glidepath
