// src/loop/trainer_test.cpp - the final tests: of the last weights and of the best, with running statistics
// of batch norm and with fresh ones.
#include "loop/trainer.h"

#include <algorithm>
#include <cmath>

#include <torch/types.h>

#include "compute/device_batches.h"
#include "core/words.h"
#include "loop/best_model.h"

namespace glidepath {
namespace {

// Of a clock's budget, for a test that only compares.
constexpr double kShareForRunning = 0.01;

/// A signal came while the model may have had other weights or statistics than the run's.
struct StopAsked {
  int signal;
};

}  // namespace

std::int64_t Trainer::images_of_estimate() const {
  const auto asked = words::whole(config_.bn_estimate);  // nothing for "off"
  return asked && has_running_statistics(*model_) ? std::min(*asked, dataset_.train.size()) : 0;
}

// The batches that training would have taken next, in pieces as large as one process's. Rank 0 estimates, the
// others have its statistics in the evaluation that follows.
void Trainer::estimate_statistics(FreshStatistics& fresh, std::int64_t images,
                                  const std::function<void()>& between_batches) {
  const DataWatch::MayStop here(data_watch_);
  if (is_rank_0()) {
    LoaderOptions options = loader_options(config_, plan_, dataset_);
    options.prefetch = 0;
    const std::int64_t pieces = group() && !config_.sync_bn ? group()->size() : 1;
    options.batch_size = std::max<std::int64_t>(1, options.batch_size / pieces);
    TrainLoader loader(dataset_, options);
    if (resolution_.varies())
      loader.set_image_size([size = resolution_.at(1)](std::int64_t) { return size; });
    loader.seek(meter_.step() * pieces);
    for (std::int64_t taken = 0; taken < images;) {
      if (between_batches) between_batches();
      const Batch batch = on_device(loader.next(), plan_.device);
      taken += std::max<std::int64_t>(1, batch.labels.size(0));
      fresh.add(batch, plan_);
    }
  }
  agreement_.agree();
}

bool Trainer::keeps_best() const { return dataset_.has_val() && config_.eval_every != "end"; }

// What comes beside the fresh statistics is left out where it would cost much of a clock's budget.
bool Trainer::tests_running() const {
  return images_of_estimate() == 0 || !meter_.by_clock() || running_is_cheap_;
}

// Of one batch. The model is as before afterwards. Evaluations count by their images, those on the way as 1.
void Trainer::measure_ending() {
  const auto share = [&](const Split& split) {
    return static_cast<double>(split.size()) / static_cast<double>(dataset_.watched().size());
  };
  const bool has_val = dataset_.has_val(), has_fresh = images_of_estimate() > 0;
  const double test = share(dataset_.test), both = test + (has_val ? share(dataset_.val) : 0);
  const double weights = keeps_best() ? 2 : 1;  // the last, and the best
  double fresh_seconds = 0;
  if (has_fresh) {
    const double begun = now();
    FreshStatistics fresh(*model_);
    estimate_statistics(fresh, 1);
    fresh_seconds = (now() - begun) * std::ceil(static_cast<double>(images_of_estimate()) /
                                                static_cast<double>(config_.batch_size));
  }
  const double running = weights * test, on_the_way = has_val ? 1 : 0;
  if (meter_.by_clock()) {
    running_is_cheap_ = agreement_.rank_0_says(running * agenda_.evaluation_seconds() <=
                                               kShareForRunning * meter_.clock().allowed());
  }
  agenda_.ending_takes(on_the_way + (tests_running() ? running : 0) + (has_fresh ? weights * both : 0),
                       weights * fresh_seconds, meter_);
}

Evaluation Trainer::evaluate_all(const Split& split, const std::function<void()>& between_batches) {
  const DataWatch::MayStop here(data_watch_);
  share_running_statistics();
  const Evaluation found =
      evaluate(*model_, dataset_, split, config_.eval_batch_size, plan_, between_batches, group());
  share_corrupt_images();
  return found;
}

void Trainer::stop_tests_if_asked() const {
  if (const int signal = options_.stop_signal ? options_.stop_signal() : 0; signal != 0)
    throw StopAsked{signal};
}

/// Of the weights that the model has.
Trainer::Tests Trainer::test_weights(const Tested& running, const std::function<void()>& look) {
  Tests tests{running, running, {}};
  if (images_of_estimate() > 0) {
    FreshStatistics fresh(*model_);
    estimate_statistics(fresh, images_of_estimate(), [&] {
      if (!group()) stop_tests_if_asked();  // the others wait for rank 0 in what follows
    });
    if (dataset_.has_val()) tests.chosen.val = evaluate_all(dataset_.val, look);
    tests.chosen.test = evaluate_all(dataset_.test, look);
    if (config_.saved_statistics != "running") tests.weights = copy_of_state(*model_);
  }
  if (tests.weights.empty()) tests.weights = copy_of_state(*model_);
  return tests;
}

// The last evaluation on the way was of the last weights.
Trainer::FinalTests Trainer::test_at_the_end() {
  const auto look = [this] {
    agreement_.agree();
    stop_tests_if_asked();
  };
  try {
    FinalTests tests;
    const bool has_val = dataset_.has_val();
    const auto tested_running = [&]() -> std::optional<Evaluation> {
      if (!tests_running()) return std::nullopt;
      return evaluate_all(dataset_.test, look);
    };
    Tested last;
    if (has_val) last = {evaluation_, tested_running()};
    if (!has_val && evaluated_step_ == meter_.step()) last.test = evaluation_;
    tests.last = test_weights(last, look);
    if (!has_val || best_.empty() || best_.step() == meter_.step()) return tests;
    const OtherWeights best(*model_, best_.weights());
    tests.best = test_weights({best_.on_val(), tested_running()}, look);
    return tests;
  } catch (const StopAsked& asked) {
    stop_for(asked.signal);  // the model is the run's own again
  }
}

}  // namespace glidepath
