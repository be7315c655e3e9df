// src/loop/trainer_images.cpp - what a run on encoded images has beside the others: sizes that follow
// progress, and images that cannot be decoded.
#include <algorithm>

#include "data/images/corrupt_images.h"
#include "loop/trainer.h"

namespace glidepath {

// The size of an update's images is a function of its progress alone, so a run that is resumed makes the same
// batches. By the clock nobody knows the progress beforehand: it is that of the moment a batch is begun.
void Trainer::follow_resolution(TrainLoader& loader) {
  if (!resolution_.varies()) return;
  if (meter_.by_clock()) {
    loader.set_image_size([this](std::int64_t) { return resolution_.at(clock_progress_); });
    return;
  }
  loader.set_image_size([sizes = resolution_, origin = budget_state_.origin,
                         updates = meter_.updates()](std::int64_t step) {
    return sizes.at(progress_from(origin, std::min(step, updates), updates));  // some are made past the end
  });
}

void Trainer::count_images(const Batch& batch) {
  if (resolution_.varies())
    flops_spent_ += flops_of_size_.at(batch.images.size(2)) *
                    static_cast<double>(loader_.images_of(meter_.step()));  // of all ranks
  if (!group()) tell_corrupt_images();
}

double Trainer::flops_spent() const {
  return resolution_.varies() ? flops_spent_ : flops_of(meter_.step(), context_);
}

/// Of a whole run of `updates` from its start.
double Trainer::flops_of_run(std::int64_t updates) const {
  if (!resolution_.varies()) return flops_of(updates, context_);
  double flops = 0;
  for (std::int64_t step = 0; step < updates; ++step) {
    flops += flops_of_size_.at(resolution_.at(progress_at(step, updates))) *
             static_cast<double>(loader_.images_of(step));
  }
  return flops;
}

// Later updates cost more, or less, than the first ones: as much as their operations do.
double Trainer::mean_cost() const {
  if (!resolution_.varies()) return 1;
  constexpr std::int64_t kMoments = 1000;
  double sum = 0;
  for (std::int64_t i = 0; i < kMoments; ++i)
    sum += flops_of_size_.at(resolution_.at(progress_at(i, kMoments)));
  return sum / static_cast<double>(kMoments) / flops_of_size_.at(resolution_.at(0));
}

bool Trainer::has_corrupt_news() const {
  return !dataset_.in_memory() &&
         (dataset_.train.corrupt->has_unshared() || dataset_.test.corrupt->has_unshared());
}

// Each rank decodes its own part. Counted, named and held against the limit are those of all.
void Trainer::share_corrupt_images() {
  if (dataset_.in_memory()) return;
  if (group()) {
    for (const Split* split : {&dataset_.train, &dataset_.test}) {
      auto found = nlohmann::json::array();
      for (const SkippedImage& image : split->corrupt->take_unshared())
        found.push_back({image.index, image.name, image.reason});
      const auto cbor =
          nlohmann::json::to_cbor(found);  // names of files need not be UTF-8, which JSON asks for
      for (const std::string& theirs : group()->all_gather({cbor.begin(), cbor.end()})) {
        for (const auto& image : nlohmann::json::from_cbor(theirs)) {
          split->corrupt->add(image[0].get<std::int64_t>(), image[1].get<std::string>(),
                              image[2].get<std::string>());
        }
      }
      split->corrupt->take_unshared();  // of the others
    }
  }
  tell_corrupt_images();
}

// Where a run that waits for data may be stopped, everything that a checkpoint holds is that of the last
// update.
void Trainer::tell_of_data() {
  if (!group()) data_watch_.set_stop([this] { stop_if_asked(); });
  if (dataset_.in_memory() || !is_rank_0() || !options_.on_note) return;
  options_.on_note("data: " + told_data(dataset_));
  for (const std::string& note : dataset_.notes) options_.on_note("data: " + note);
}

void Trainer::tell_corrupt_images() {
  data_watch_.tell();
  for (const Split* split : {&dataset_.train, &dataset_.test}) {
    if (!split->corrupt || !options_.on_warning) continue;
    for (const std::string& line : split->corrupt->take_news()) options_.on_warning(line);
  }
}

void Trainer::set_corrupt_images(const RunState& state) {
  if (dataset_.in_memory()) return;
  dataset_.train.corrupt->set_known({state.corrupt_train.begin(), state.corrupt_train.end()});
  dataset_.test.corrupt->set_known({state.corrupt_test.begin(), state.corrupt_test.end()});
}

}  // namespace glidepath
