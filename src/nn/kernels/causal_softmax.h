// src/nn/kernels/causal_softmax.h - attention's shares of tokens that may look back alone.
#pragma once
#include <torch/types.h>

namespace glidepath {

/// softmax(scale * scores) along the last dimension over the tokens up to each one, 0 for those after it:
/// scores [..., T, T] -> the same. In float32 and bfloat16 on the CPU in one pass over memory, and one
/// backward, with sums in float32; LibTorch's operators, which take six, elsewhere. No second derivative.
/// Source  Vaswani et al., NeurIPS 2017, sections 3.2.1 and 3.2.3.
torch::Tensor causal_softmax(const torch::Tensor& scores, double scale);

}  // namespace glidepath
