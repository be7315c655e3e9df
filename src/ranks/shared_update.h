// src/ranks/shared_update.h - what the ranks' parts of an update come to.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include <torch/types.h>

#include "ranks/gradient_reducer.h"
#include "ranks/ranks.h"

namespace glidepath {

/// Gradients, loss and right answers of an update that all ranks make together. For a process alone what is
/// put in comes out, untouched.
///
/// The gradient of the mean over the whole batch is the sum of the ranks' means by their share of the
/// examples.
class SharedUpdate {
 public:
  /// `parameters` are those that get gradients.
  SharedUpdate(Ranks& ranks, const std::vector<torch::Tensor>& parameters);

  /// This rank's part: means and sums over `here` of the update's `all` terms, which are the examples or what
  /// else the task's loss is the mean over; undefined where it has none.
  struct Part {
    torch::Tensor loss, correct;  ///< 0-dim; the loss with its gradient
    std::int64_t here = 0, all = 0;
    bool has_news = false;  ///< this rank has something to tell the others
    bool adds = false;      ///< to gradients of earlier backward passes
  };
  /// Begins to add up. Returns the loss to call backward on; undefined: none.
  torch::Tensor begin(const Part& part);
  /// What a loss, the mean over `examples` of this rank's `part`, weighs in the update: begin() has weighed
  /// its own.
  double weight(std::int64_t examples, const Part& part) const;

  struct Whole {
    torch::Tensor loss, correct;  ///< 0-dim, over all examples, without gradient
    bool has_news = false;        ///< on any rank
  };
  /// After backward: gradients are those of the whole batch.
  Whole finish();

 private:
  Ranks& ranks_;
  std::unique_ptr<GradientReducer> reducer_;  // none alone
  Part part_;
  torch::Tensor sums_;
  ProcessGroup::Pending pending_;
};

}  // namespace glidepath
