// tests/support/sgd.h - SGD over some parameters.
#pragma once
#include <memory>

#include "glidepath/optimizer.h"

namespace glidepath {

struct SgdSettings {
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 5e-4;
  bool decay_norm_bias = true;
};

inline std::unique_ptr<Optimizer> sgd_over(const NamedTensors& parameters, const SgdSettings& settings = {}) {
  OptimizerOptions options;
  options.momentum = settings.momentum;
  options.nesterov = settings.nesterov;
  options.weight_decay = settings.weight_decay;
  options.decay_norm_bias = settings.decay_norm_bias;
  return make_optimizer(options, parameters);
}

}  // namespace glidepath
