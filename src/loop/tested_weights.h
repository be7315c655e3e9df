// src/loop/tested_weights.h - the weights that are tested, where gradients are taken at others.
#pragma once
#include <optional>

#include "evaluation/best_model.h"
#include "loop/run.h"

namespace glidepath {

/// While it lives, a run's model has the weights that its optimizer has tested (Optimizer::tested_weights());
/// its own, where those are the same.
class TestedWeights {
 public:
  explicit TestedWeights(Run& run) {
    const TensorMap tested = run.optimizer->tested_weights();
    if (!tested.empty()) others_.emplace(*run.model, tested);
  }

 private:
  std::optional<OtherWeights> others_;
};

}  // namespace glidepath
