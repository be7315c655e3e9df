// include/glidepath/loader.h - batches of normalised, augmented images, made ahead of training.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <torch/types.h>

#include "glidepath/batch.h"
#include "glidepath/dataset.h"

namespace glidepath {

/// Which images are mirrored, left for right.
enum class Flip {
  kAuto,  ///< random where a mirrored image keeps its meaning (Dataset::flip), else none
  kNone,
  kRandom,  ///< each with a half chance, every epoch
  /// In the first epoch each with a half chance, and from then on in turn, so that two epochs show every
  /// image both ways. Source: Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv
  /// 2404.00498, 3.6.
  kAlternating
};

struct LoaderOptions {
  std::int64_t batch_size = 128;
  std::uint64_t seed = 0;
  bool augment = true;            ///< pad-4 random crop, and flip where the data set allows it
  std::int64_t crop_padding = 4;  ///< pixels that a crop may reach beyond the edge; of images in memory
  bool crop_reflects = false;     ///< what is there: the picture mirrored at its edge, or black
  Flip flip = Flip::kAuto;
  bool trivial_augment =
      false;  ///< with augment: TrivialAugment after crop and flip, on bytes; on the CPU alone
  /// In its place RandAugment: so many changes in a row, 0: none, of a magnitude in [0, 30].
  int rand_operators = 0, rand_magnitude = 9;
  torch::ScalarType dtype = torch::kFloat32;  ///< kFloat32 or kBFloat16
  bool channels_last = false;
  std::int64_t prefetch = 2;  ///< batches made ahead by a background thread; 0: none
  int rank = 0;               ///< which part of every batch this process takes, in [0, ranks)
  int ranks = 1;              ///< parts; see part_of()
  /// With several ranks a part that has any begins with the example before its first in the whole batch
  /// (before the batch's first: its last), for who mixes neighbours.
  bool with_previous = false;
  bool pin_memory = false;    ///< batches in page-locked memory, from which copies to a GPU need no waiting
  bool by_operators = false;  ///< made by torch's operators, as they are where images lie on a GPU
};

/// Images [first, first + count) of something.
struct Part {
  std::int64_t first = 0;
  std::int64_t count = 0;
};
/// The part of `images` that falls to `rank` of `ranks`: parts lie side by side in the order of the ranks,
/// cover everything once, and differ by one image at most; the first ranks have the larger ones, so that a
/// rank may have none and rank 0 has one where there is any.
Part part_of(std::int64_t images, int rank, int ranks);

/// An endless stream of training batches. Batch number `step` is a pure function of (seed, step): epoch
/// step / steps_per_epoch has its own permutation, every image its own crop and flip, so a resumed or
/// differently threaded run sees the same bytes. Every epoch visits every image once; its last batch may be
/// smaller. Holds a reference to the data set's tensors. With several ranks each takes its part of the same
/// batches: image for image, crop for crop what one process would take. Where the images lie on a GPU,
/// batches are made there, by the thread that takes them; they have the same bits.
class TrainLoader {
 public:
  TrainLoader(const Dataset& dataset, const LoaderOptions& options);
  ~TrainLoader();
  TrainLoader(const TrainLoader&) = delete;
  TrainLoader& operator=(const TrainLoader&) = delete;

  std::int64_t steps_per_epoch() const;  ///< ceil(N / batch_size)
  /// Images of the whole batch `step`, of all ranks together.
  std::int64_t images_of(std::int64_t step) const;
  /// The next batch; the first call gives batch 0, or the one given to seek().
  Batch next();
  /// Makes `step` the batch that next() returns.
  void seek(std::int64_t step);
  /// Encoded images alone: from now on the side of the images of batch `step` is size_of(step), which other
  /// threads call, one at a time, when they begin the batch. Batches made ahead are made again.
  void set_image_size(std::function<std::int64_t(std::int64_t step)> size_of);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Images [first, first + count) of a split, in order, in batches made ahead of who takes them. Encoded ones
/// that cannot be decoded are left out, and batches then smaller. The data set must outlive it.
class PlainLoader {
 public:
  PlainLoader(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
              std::int64_t batch_size, torch::ScalarType dtype, bool channels_last);
  ~PlainLoader();
  PlainLoader(const PlainLoader&) = delete;
  PlainLoader& operator=(const PlainLoader&) = delete;

  /// The next batch, as plain_batch() makes it; nothing after the last.
  std::optional<Batch> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Images [first, first + count) of a split, normalised, not augmented, in order, on the device of the
/// images; encoded ones resized and cropped in the middle, without those that cannot be decoded.
Batch plain_batch(const Dataset& dataset, const Split& split, std::int64_t first, std::int64_t count,
                  torch::ScalarType dtype, bool channels_last);

}  // namespace glidepath
