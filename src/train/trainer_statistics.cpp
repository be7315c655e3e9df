// src/train/trainer_statistics.cpp - the final test with fresh statistics of batch norm.
#include <algorithm>
#include <cmath>

#include <torch/types.h>

#include "core/words.h"
#include "train/device_batches.h"
#include "train/trainer.h"

namespace glidepath {
namespace {

/// A signal came while the model had other statistics than the run's.
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

// From one batch. The model is as before afterwards.
void Trainer::measure_ending(double seconds_an_image) {
  const auto images = [](const Split& split) { return static_cast<double>(split.size()); };
  const double test = seconds_an_image * images(dataset_.test);
  double seconds = dataset_.has_val() ? test : 0;
  const std::int64_t estimated = images_of_estimate();
  if (estimated > 0) {
    const double begun = now();
    FreshStatistics fresh(*model_);
    estimate_statistics(fresh, 1);
    seconds +=
        (now() - begun) * std::ceil(static_cast<double>(estimated) / static_cast<double>(config_.batch_size));
    seconds += test + (dataset_.has_val() ? seconds_an_image * images(dataset_.val) : 0);
  }
  agenda_.ending_takes(seconds, meter_);
}

Evaluation Trainer::evaluate_all(const Split& split, const std::function<void()>& between_batches) {
  const DataWatch::MayStop here(data_watch_);
  share_running_statistics();
  const Evaluation found =
      evaluate(*model_, dataset_, split, config_.eval_batch_size, plan_, between_batches, group());
  share_corrupt_images();
  return found;
}

// The last evaluation on the way was of the same weights.
Trainer::Tested Trainer::test_running() {
  if (!dataset_.has_val()) return {std::nullopt, evaluation_};
  return {evaluation_, evaluate_all(dataset_.test, [this] { agree_and_stop_if_asked(); })};
}

Trainer::Tested Trainer::test_fresh(std::unique_ptr<FreshStatistics>& fresh) {
  const auto stop_if_asked = [this] {
    if (const int signal = options_.stop_signal ? options_.stop_signal() : 0; signal != 0)
      throw StopAsked{signal};
  };
  const auto look = [&] {
    agreement_.agree();
    stop_if_asked();
  };
  try {
    estimate_statistics(*fresh, images_of_estimate(), [&] {
      if (!group()) stop_if_asked();  // the others wait for rank 0 in what follows
    });
    Tested tested;
    if (dataset_.has_val()) tested.val = evaluate_all(dataset_.val, look);
    tested.test = evaluate_all(dataset_.test, look);
    return tested;
  } catch (const StopAsked& asked) {
    fresh.reset();  // a checkpoint has the run's own
    stop_for(asked.signal);
  }
}

}  // namespace glidepath
