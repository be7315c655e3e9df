// src/measure/weight_norm.h - how large the weights are, together and layer by layer.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "glidepath/models.h"

namespace glidepath {

struct WeightNorm {
  double total = 0;  ///< L2 norm over every trainable parameter, norms and biases included
  std::vector<std::pair<std::string, double>> parameters;  ///< of each, in the model's order
};

/// ||w|| of Li et al., ICLR 2020, figure D; summed in double.
WeightNorm weight_norm(const Model& model);

}  // namespace glidepath
