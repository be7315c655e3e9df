// src/optim/muon.h - Muon: momentum made orthogonal.
#pragma once
#include "optim/update_rule.h"

namespace glidepath {

struct MuonOptions {
  double momentum = 0.95;  ///< [0, 1)
  bool nesterov = true;
  int steps = 5;  ///< of Newton and Schulz, >= 1
  /// Weights are brought to the norm sqrt(rows) before each update, and updates are not scaled: as in
  /// airbench.
  bool normalised = false;
};

/// Of parameters of two dimensions or more; a convolution's filters are a matrix [out, in * height * width].
///
///     v = momentum * v + g;  u = nesterov ? g + momentum * v : v
///     o = the nearest matrix to u with singular values near 1, by newton_schulz()
///     w -= lr * weight_decay * w;  w -= lr * sqrt(max(1, rows / columns)) * o
///
/// or, normalised: w *= sqrt(rows) / norm(w);  w -= lr * o. State: "momentum", which is v.
/// All directions get the same rate: rate_factor() is 1, as no factor of single weights tells.
/// Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; airbench94_muon.
class Muon final : public UpdateRule {
 public:
  explicit Muon(const MuonOptions& options) : options_(options) {}

  std::vector<std::string> state_names() const override { return {"momentum"}; }
  bool counts_updates() const override { return false; }
  void update_in_one_pass(Slot& slot, const torch::Tensor& gradient, double lr,
                          std::int64_t step) const override;
  void update_with_operators(Slot& slot, const torch::Tensor& gradient, double lr,
                             std::int64_t step) const override;

 private:
  MuonOptions options_;
};

/// X X^T near the identity for matrix [rows, columns] / its norm: singular values between 0.7 and 1.2 after
/// five steps of X = a X + (b A + c A^2) X with A = X X^T, and the quintic's coefficients of the source. In
/// float32, whatever the matrix is in.
torch::Tensor newton_schulz(const torch::Tensor& matrix, int steps);

}  // namespace glidepath
