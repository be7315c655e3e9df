// src/data/batches/image_batches.h - batches of encoded images, decoded by threads ahead of who takes them.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "data/images/ordered_pool.h"
#include "data/images/trivial_augment.h"
#include "glidepath/loader.h"

namespace glidepath {

/// One batch that is wanted.
struct ImageRequest {
  std::vector<std::int64_t> images;  ///< may be none
  std::int64_t size = 224;           ///< of their sides
  std::int64_t resize =
      256;  ///< what the shorter side becomes before the centre crop; 0: random crop and flip
  Flip flip = Flip::kRandom;  ///< of random crops; not kAuto
  ImageChange change;         ///< of random crops
  std::uint64_t seed = 0;     ///< of random crops, flips and of what takes a corrupt image's place
  std::int64_t epoch = 0;     ///< likewise
  bool fill = false;  ///< whether another image takes a corrupt one's place; else the batch is smaller
};

/// Reads, decodes, crops, resizes and normalises. A batch's bytes depend on its request alone.
class ImageBatches {
 public:
  /// Says what the next batch is; nothing when there are no more. Called by one thread at a time, in order.
  using Order = std::function<std::optional<ImageRequest>()>;

  ImageBatches(const Dataset& dataset, const Split& split, torch::ScalarType dtype, bool channels_last,
               std::int64_t ahead, Order order);
  ~ImageBatches();
  /// Nothing after the last. A batch may have no image at all where none could be decoded. Throws RunError
  /// where more than max_corrupt cannot, DataLost where the disk did not give them for as long as the split's
  /// Patience lasts; what that calls while one waits may throw, too.
  std::optional<Batch> next();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<OrderedPool> pool_;
};

}  // namespace glidepath
