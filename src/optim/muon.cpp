// src/optim/muon.cpp - Muon: momentum made orthogonal.
#include "optim/muon.h"

#include <algorithm>
#include <cmath>

#include <torch/types.h>

#include "nn/kernels/matrix_product.h"

namespace glidepath {

torch::Tensor newton_schulz(const torch::Tensor& matrix, int steps) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315, kEps = 1e-7;
  const bool is_tall = matrix.size(0) > matrix.size(1);
  torch::Tensor x = matrix.to(torch::kFloat32);
  if (is_tall) x = x.t();
  x = x / (x.norm() + kEps);
  for (int i = 0; i < steps; ++i) {
    const torch::Tensor gram = matrix_product(x, x.t());
    const torch::Tensor polynomial = matrix_product(gram, gram).mul_(kC).add_(gram, kB);
    x = matrix_product(polynomial, x).add_(x, kA);
  }
  return is_tall ? x.t() : x;
}

// Matrix products take most of the time: one path for all.
void Muon::update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr, std::int64_t step) const {
  update_with_operators(slot, gradient, lr, step);
}

void Muon::update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                                 std::int64_t /*step*/) const {
  torch::Tensor &w = slot.parameter, &v = slot.state[0];
  const double momentum = slot.momentum_share * options_.momentum;
  v.mul_(momentum).add_(gradient);
  const torch::Tensor u = options_.nesterov ? gradient.add(v, momentum) : v;
  const auto rows = static_cast<double>(w.size(0)), columns = static_cast<double>(w.numel()) / rows;
  const torch::Tensor orthogonal =
      newton_schulz(u.reshape({w.size(0), -1}), options_.steps).reshape(w.sizes()).to(w.scalar_type());
  if (options_.normalised) {
    w.mul_(std::sqrt(rows) / w.norm());
    w.add_(orthogonal, -lr);
    return;
  }
  w.mul_(1 - lr * slot.weight_decay);
  w.add_(orthogonal, -lr * std::sqrt(std::max(1.0, rows / columns)));
}

}  // namespace glidepath
