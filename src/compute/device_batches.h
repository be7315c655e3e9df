// src/compute/device_batches.h - batches on their way to the device: copied ahead, and the host held back.
#pragma once
#include <deque>
#include <optional>

#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include "glidepath/loader.h"

namespace glidepath {

/// The batch on the device. Copies to a GPU are queued on the current stream, from pinned memory, and nobody
/// waits for them. Where it is there already, it is the batch itself.
Batch on_device(const Batch& batch, const torch::Device& device);

/// The loader's batches on the device. For a GPU the next one is copied on a stream of its own while the
/// current one is computed on; on the CPU they are the loader's.
class DeviceBatches {
 public:
  /// The loader outlives it, and is used by nobody else.
  DeviceBatches(TrainLoader& loader, const torch::Device& device);

  Batch next();
  /// Queues the copy of the batch that next() will return. Nothing on the CPU.
  void prepare_next();
  /// As TrainLoader::seek().
  void seek(std::int64_t step);

 private:
  struct Ahead {
    Batch batch;
    c10::Event copied;
  };

  TrainLoader& loader_;
  torch::Device device_;
  std::optional<c10::Stream> copies_;  // none on the CPU
  std::optional<Ahead> ahead_;
};

/// Keeps the host at most two updates ahead of a GPU, so that clocks tell what updates take, and a time
/// budget is not overrun by work that waits in a queue. Nothing on the CPU.
class Pace {
 public:
  explicit Pace(const torch::Device& device) : device_(device) {}
  /// An update's last kernel is queued: waits where too many updates are unfinished.
  void update_queued();

 private:
  torch::Device device_;
  std::deque<c10::Event> unfinished_;
};

}  // namespace glidepath
