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
    if (tested.empty()) return;
    TensorMap weights = copy_of_state(*run.model);
    for (const auto& [name, tensor] : tested) weights[name] = tensor;
    others_.emplace(*run.model, weights);
  }

 private:
  std::optional<OtherWeights> others_;
};

}  // namespace glidepath
