// src/nn/kernels/matrix_product.h - products of float32 matrices.
#pragma once
#include <torch/types.h>

namespace glidepath {

/// a b for a [M, K] and b [K, N]. By our own kernels for float32 on a CPU that has them: LibTorch's products
/// are the BLAS library's, which on a plain Debian is the reference one, and slow. Bits do not
/// depend on the number of threads. Without gradients.
torch::Tensor matrix_product(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace glidepath
