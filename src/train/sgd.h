// src/train/sgd.h - stochastic gradient descent with momentum, each parameter updated in one pass.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

namespace glidepath {

struct SgdOptions {
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 5e-4;
  bool decay_norm_bias = true;  ///< false: parameters of one dimension (norms, biases) are not decayed
};

/// PyTorch's SGD, term for term:  g += weight_decay * w;  v = momentum * v + g;
/// w -= lr * (nesterov ? g + momentum * v : v).  Source: torch.optim.SGD; Sutskever et al., ICML 2013.
/// On the CPU one loop reads w, g, v once and writes w, v once; elsewhere torch's operators do the same.
class Sgd {
 public:
  Sgd(std::vector<std::pair<std::string, torch::Tensor>> parameters, const SgdOptions& options);

  /// One update with this learning rate. Parameters without a gradient are left alone.
  void step(double lr);
  /// Drops the gradients, so that backward writes new ones instead of adding to zeroed ones.
  void drop_gradients();
  /// Momentum buffers by parameter name, to save; the tensors are the live ones.
  std::vector<std::pair<std::string, torch::Tensor>> state() const;

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor momentum;
    double weight_decay;
  };
  std::vector<Slot> slots_;
  SgdOptions options_;
};

}  // namespace glidepath
