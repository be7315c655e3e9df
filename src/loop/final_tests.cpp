// src/loop/final_tests.cpp - the tests at the end.
#include "loop/final_tests.h"

#include <algorithm>
#include <cmath>

#include <torch/types.h>

#include "compute/device_batches.h"
#include "core/words.h"
#include "loop/foreseen_time.h"
#include "loop/tested_weights.h"
#include "setup/run_setup.h"

namespace glidepath {
namespace {

// Of a clock's budget, for a test that only compares.
constexpr double kShareForRunning = 0.01;

/// A signal came while the model may have had other weights or statistics than the run's.
struct StopAsked {
  int signal;
};

}  // namespace

std::int64_t FinalTester::images_of_estimate() const {
  const auto asked = words::whole(run_.config.bn_estimate);  // nothing for "off"
  return asked && has_running_statistics(*run_.model) ? std::min(*asked, run_.data.set.train.size()) : 0;
}

bool FinalTester::tests_running() const {
  return images_of_estimate() == 0 || !run_.glide.by_clock() || running_is_cheap_;
}

std::int64_t FinalTester::pieces_of_batch() const { return run_.config.sync_bn ? 1 : run_.ranks.size(); }

std::int64_t FinalTester::batch_of_estimate() const {
  return std::max<std::int64_t>(1, run_.config.batch_size / pieces_of_batch());
}

// By the middle of three batches, on rank 0, which alone estimates.
double FinalTester::seconds_of_estimate() {
  std::vector<double> begun;
  FreshStatistics fresh(*run_.model);
  estimate(fresh, kTimedBatches * batch_of_estimate(), [&] { begun.push_back(run_.ranks.now()); });
  begun.push_back(run_.ranks.now());
  const double batches =
      std::ceil(static_cast<double>(images_of_estimate()) / static_cast<double>(batch_of_estimate()));
  return middle_between(begun) * batches;
}

// The batches that training would have taken next, in pieces as large as one process's. Rank 0 estimates, the
// others have its statistics in the evaluation that follows.
void FinalTester::estimate(FreshStatistics& fresh, std::int64_t images,
                           const std::function<void()>& between_batches) {
  const DataWatch::MayStop here(run_.data.watch);
  if (run_.ranks.is_first()) {
    LoaderOptions options = loader_options(run_.config, run_.plan, run_.data.set);
    options.prefetch = 0;
    options.batch_size = batch_of_estimate();
    TrainLoader loader(run_.data.set, options);
    if (run_.sizes.vary()) loader.set_image_size([size = run_.sizes.last()](std::int64_t) { return size; });
    loader.seek(run_.glide.step() * pieces_of_batch());
    for (std::int64_t taken = 0; taken < images;) {
      if (between_batches) between_batches();
      const Batch batch = on_device(loader.next(), run_.plan.device);
      taken += std::max<std::int64_t>(1, batch.examples);
      fresh.add(batch, run_.plan);
    }
  }
  run_.ranks.agree();
}

// Evaluations count by their images, those on the way as 1.
void FinalTester::time() {
  const UpdatePace pace = run_.glide.pace();
  const double evaluation = evaluation_time_.foresee(evaluator_.time(), pace);
  const auto share = [&](const Split& split) {
    return static_cast<double>(split.size()) / static_cast<double>(run_.data.set.watched().size());
  };
  const bool has_val = run_.data.set.has_val(), has_fresh = images_of_estimate() > 0;
  const double test = share(run_.data.set.test), both = test + (has_val ? share(run_.data.set.val) : 0);
  // The last ones, the best and the average.
  const double weights = 1 + (evaluator_.keeps_best() ? 1 : 0) + (averager_.is_on() ? 1 : 0);
  const double fresh_seconds = has_fresh ? estimate_time_.foresee(seconds_of_estimate(), pace) : 0;
  const TestViews views = test_views(run_.config.test_augment);
  const double of_views = views == TestViews::kOne ? 0 : views_in(views);
  const double running = weights * test, on_the_way = has_val ? 1 : 0;
  if (run_.glide.by_clock()) {
    running_is_cheap_ =
        run_.ranks.first_says(running * evaluation <= kShareForRunning * run_.glide.seconds_allowed());
  }
  ending_.ending_takes(evaluation,
                       on_the_way + (tests_running() ? running : 0) + (has_fresh ? weights * both : 0) +
                           weights * both * of_views,
                       weights * fresh_seconds);
}

void FinalTester::stop_for(int signal) {
  if (signal != 0) throw StopAsked{signal};
}

/// Of the weights that the model has.
WeightTests FinalTester::test_weights(const Tested& running, const std::function<void()>& look) {
  WeightTests tests{running, running, {}, {}};
  if (images_of_estimate() > 0) {
    FreshStatistics fresh(*run_.model);
    estimate(fresh, images_of_estimate(), [this] { stop_for(run_.ranks.stop_signal_at_once()); });
    if (run_.data.set.has_val()) tests.chosen.val = evaluator_.evaluate_all(run_.data.set.val, look);
    tests.chosen.test = evaluator_.evaluate_all(run_.data.set.test, look);
    tests.over_views = test_over_views(look);
    if (run_.config.saved_statistics != "running") tests.weights = copy_of_state(*run_.model);
  }
  if (images_of_estimate() == 0) tests.over_views = test_over_views(look);
  if (tests.weights.empty()) tests.weights = copy_of_state(*run_.model);
  return tests;
}

Tested FinalTester::test_over_views(const std::function<void()>& look) {
  Tested tested;
  const TestViews views = test_views(run_.config.test_augment);
  if (views == TestViews::kOne) return tested;
  if (run_.data.set.has_val()) tested.val = evaluator_.evaluate_all(run_.data.set.val, look, views);
  tested.test = evaluator_.evaluate_all(run_.data.set.test, look, views);
  return tested;
}

std::optional<Evaluation> FinalTester::test_running(const std::function<void()>& look) {
  if (!tests_running()) return std::nullopt;
  return evaluator_.evaluate_all(run_.data.set.test, look);
}

FinalTests FinalTester::test() {
  try {
    return test_all();
  } catch (const StopAsked& asked) {
    stopper_.stop_for(asked.signal);  // the model is the run's own again
  }
}

std::optional<WeightTests> FinalTester::test_average(const std::function<void()>& look) {
  const TensorMap averaged = averager_.weights();
  if (averaged.empty()) return std::nullopt;
  const OtherWeights others(*run_.model, averaged);
  Tested running;  // batch norm's running statistics are of other weights
  if (images_of_estimate() == 0) {
    if (run_.data.set.has_val()) running.val = evaluator_.evaluate_all(run_.data.set.val, look);
    running.test = evaluator_.evaluate_all(run_.data.set.test, look);
  }
  return test_weights(running, look);
}

// The last evaluation on the way was of the last weights.
FinalTests FinalTester::test_all() {
  const auto look = [this] {
    run_.ranks.agree();
    stop_for(run_.ranks.stop_signal());
  };
  const TestedWeights tested(run_);
  FinalTests tests;
  const bool has_val = run_.data.set.has_val();
  Tested last;
  if (has_val) last = {evaluator_.last(), test_running(look)};
  if (!has_val && evaluator_.is_up_to_date()) last.test = evaluator_.last();
  tests.last = test_weights(last, look);
  tests.average = test_average(look);
  const BestModel& best = evaluator_.best();
  if (!has_val || best.empty() || best.step() == run_.glide.step()) return tests;
  const OtherWeights others(*run_.model, best.weights());
  tests.best = test_weights({best.on_val(), test_running(look)}, look);
  return tests;
}

}  // namespace glidepath
