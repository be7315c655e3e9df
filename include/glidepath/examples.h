// include/glidepath/examples.h - data of one's own: tensors, or a function that makes an example.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glidepath/batch.h"
#include "glidepath/dataset.h"
#include "glidepath/keyed_random.h"

namespace glidepath {

/// Numbered examples, a split of a data set. Asked by several threads at once.
class Examples {
 public:
  struct Request {
    std::vector<std::int64_t> numbers;  ///< each in [0, size()), in the batch's order; may be none
    bool training = false;              ///< whether they may be changed at random
    std::uint64_t seed = 0;             ///< of the run
    std::int64_t epoch = 0;             ///< passes over the data before this one
    /// For what is random in an example; the same whenever that batch is made.
    KeyedRandom random(std::int64_t number) const;
  };

  virtual ~Examples() = default;
  virtual std::int64_t size() const = 0;
  /// Inputs and targets of these, along their first dimension, on the CPU. A function of the request alone:
  /// runs that are gone on with, and other ranks, ask again.
  virtual Batch batch(const Request& request) const = 0;
};

/// Rows of tensors that have as many. Throws InputError where they do not.
std::shared_ptr<const Examples> tensor_examples(Values inputs, Values targets);

/// One example: tensors without a dimension for the batch.
struct Example {
  Values inputs, targets;
};
/// `make` gives example `number`; `random` is null where nothing may be changed: in tests.
std::shared_ptr<const Examples> function_examples(
    std::int64_t size, std::function<Example(std::int64_t number, KeyedRandom* random)> make);

/// Some of them, under new numbers. Throws InputError for a number that is none.
std::shared_ptr<const Examples> selected_examples(std::shared_ptr<const Examples> from,
                                                  std::vector<std::int64_t> numbers);

/// A data set of one's own. It has no classes: what targets mean is the task's.
Dataset own_data(std::shared_ptr<const Examples> train, std::shared_ptr<const Examples> test);

}  // namespace glidepath
