// src/measure/weight_norm.cpp - how large the weights are, together and layer by layer.
#include "measure/weight_norm.h"

#include <cmath>

#include <torch/types.h>

#include "measure/gradient_kernels.h"

namespace glidepath {

WeightNorm weight_norm(const Model& model) {
  WeightNorm norm;
  double sum = 0;
  for (const auto& [name, weights] : model.named_parameters()) {
    const double squared = inner_product({weights}, {weights});
    norm.parameters.emplace_back(name, std::sqrt(squared));
    sum += squared;
  }
  norm.total = std::sqrt(sum);
  return norm;
}

}  // namespace glidepath
