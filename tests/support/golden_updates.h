// tests/support/golden_updates.h - weights and gradients as golden/optim/make_muon.py and
// make_schedule_free.py have them.
#pragma once
#include <cstdint>
#include <vector>

#include <torch/types.h>

namespace glidepath {

/// From -1 to 1 in equal steps.
inline torch::Tensor even_weights(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return torch::linspace(-1, 1, count).reshape(shape).clone();
}

inline torch::Tensor wavy_gradient(const torch::Tensor& weights, int step) {
  const auto index = torch::arange(weights.numel(), torch::kFloat64).pow(1.5).reshape(weights.sizes());
  return 0.3 * weights.detach() + torch::sin(0.7 * step + 0.1 * index).to(torch::kFloat32);
}

}  // namespace glidepath
