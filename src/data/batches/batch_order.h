// src/data/batches/batch_order.h - which examples batch number `step` is made of.
#pragma once
#include <cstdint>
#include <vector>

#include "glidepath/loader.h"

namespace glidepath {

/// A function of seed and step: every epoch has an order of its own.
class BatchOrder {
 public:
  BatchOrder(std::int64_t examples, const LoaderOptions& options)
      : examples_(examples),
        batch_size_(options.batch_size),
        steps_per_epoch_((examples + options.batch_size - 1) / options.batch_size),
        seed_(options.seed),
        rank_(options.rank),
        ranks_(options.ranks),
        with_previous_(options.with_previous && options.ranks > 1) {}

  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  std::int64_t epoch_of(std::int64_t step) const { return step / steps_per_epoch_; }
  /// Examples of the whole batch, of all ranks together.
  std::int64_t examples_of(std::int64_t step) const;
  /// Those that are this rank's, in their order, after the one before them where that is asked for. One
  /// thread at a time.
  std::vector<std::int64_t> part_at(std::int64_t step);

 private:
  std::int64_t examples_, batch_size_, steps_per_epoch_;
  std::uint64_t seed_;
  int rank_, ranks_;
  bool with_previous_;
  std::vector<std::int64_t> order_;
  std::int64_t order_epoch_ = -1;
};

}  // namespace glidepath
