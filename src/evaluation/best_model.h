// src/evaluation/best_model.h - the weights of a run that did best on the images held out.
#pragma once
#include <cstdint>

#include "evaluation/evaluate.h"
#include "glidepath/model.h"
#include "glidepath/safetensors.h"

namespace glidepath {

/// A copy of the best weights so far, with their running statistics; beside the last ones, which a budget is
/// about. Empty until something was seen.
class BestModel {
 public:
  /// The weights as they are now, tested on held out images after `step` updates: kept if they are
  /// better than all before.
  void see(const Model& model, const Task& task, std::int64_t step, const Evaluation& on_val);

  bool empty() const { return weights_.empty(); }
  std::int64_t step() const { return step_; }  ///< updates
  const Evaluation& on_val() const { return on_val_; }
  const TensorMap& weights() const { return weights_; }

  /// What checkpoints keep: "best.NAME" for each tensor, and "best", which is {updates, accuracy, loss,
  /// metrics ...}; of older ones without metrics.
  void add_to(TensorMap& tensors) const;
  /// From a checkpoint; one without them has none. Throws InputError for what does not fit the model.
  void take(const TensorMap& saved, const Model& model);

 private:
  TensorMap weights_;
  std::int64_t step_ = 0;
  Evaluation on_val_;
};

/// While it lives, a model has other weights and buffers, where such are given; afterwards its own again.
class OtherWeights {
 public:
  OtherWeights(Model& model, const TensorMap& weights);
  ~OtherWeights();
  OtherWeights(const OtherWeights&) = delete;
  OtherWeights& operator=(const OtherWeights&) = delete;

 private:
  Model& model_;
  TensorMap own_;
};

/// A copy that training on does not change.
TensorMap copy_of_state(const Model& model);

}  // namespace glidepath
