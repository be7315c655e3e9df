// src/loop/feed/feed.h - the batches of a run, in order, on its device.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "compute/device_batches.h"
#include "glidepath/loader.h"
#include "loop/feed/data_watch.h"
#include "loop/feed/mixing.h"
#include "loop/stateful.h"
#include "run/checkpoint.h"

namespace glidepath {

/// Mixed and erased as the run says. Batch `step` is a function of seed and step, so all that is saved of it
/// is the step.
class Feed : public Stateful {
 public:
  /// `options` are those of this rank's part; everything outlives it.
  Feed(const Dataset& dataset, const LoaderOptions& options, const MixingOptions& mixing,
       const torch::Device& device, DataWatch& watch);

  std::int64_t steps_per_epoch() const { return loader_.steps_per_epoch(); }
  /// Images of the whole batch `step`, of all ranks together.
  std::int64_t images_of(std::int64_t step) const { return loader_.images_of(step); }
  const TrainLoader& loader() const { return loader_; }

  /// This rank's part of the next batch.
  Batch take();
  /// The batch after the one taken last, whole, as rank 0's instruments look at it.
  const Batch& peek();
  /// An update's work is queued: copies the next batch, and waits where too much is unfinished.
  void update_queued();
  /// See TrainLoader::set_image_size().
  void set_image_size(std::function<std::int64_t(std::int64_t step)> size_of);

  void save(Saved&) const override {}
  void load(const Saved& saved) override { seek(saved.state.get<CheckpointPlace>().step); }

 private:
  void seek(std::int64_t step);
  Batch changed(Batch batch, int rank, int ranks) const;

  const Dataset& dataset_;
  LoaderOptions options_;
  Mixing mixing_;
  bool changes_;  // images are mixed or erased
  DataWatch& watch_;
  TrainLoader loader_;
  DeviceBatches batches_;
  Pace pace_;
  std::int64_t next_ = 0;               // the batch that take() gives
  std::optional<Batch> peeked_;         // it, taken from the loader already
  std::unique_ptr<TrainLoader> whole_;  // the batches of all ranks, where a part is less
  Batch peeked_whole_;
  std::function<std::int64_t(std::int64_t)> size_of_;
};

}  // namespace glidepath
