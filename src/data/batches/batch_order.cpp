// src/data/batches/batch_order.cpp - which examples batch number `step` is made of.
#include "data/batches/batch_order.h"

#include <algorithm>

#include "data/batches/random_keys.h"
#include "glidepath/keyed_random.h"

namespace glidepath {

std::int64_t BatchOrder::examples_of(std::int64_t step) const {
  return std::min(batch_size_, examples_ - step % steps_per_epoch_ * batch_size_);
}

std::vector<std::int64_t> BatchOrder::part_at(std::int64_t step) {
  const std::int64_t epoch = epoch_of(step);
  if (epoch != order_epoch_) {
    order_ = random_order(examples_, {seed_, kForOrder, static_cast<std::uint64_t>(epoch)});
    order_epoch_ = epoch;
  }
  const std::int64_t first = step % steps_per_epoch_ * batch_size_;
  const std::int64_t examples = examples_of(step);
  const Part part = part_of(examples, rank_, ranks_);
  const auto begin = order_.begin() + first + part.first;
  std::vector<std::int64_t> numbers(begin, begin + part.count);
  if (with_previous_ && part.count > 0)
    numbers.insert(numbers.begin(),
                   order_[static_cast<std::size_t>(first + (part.first + examples - 1) % examples)]);
  return numbers;
}

}  // namespace glidepath
