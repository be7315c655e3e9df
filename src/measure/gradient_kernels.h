// src/measure/gradient_kernels.h - sums over gradients in double, one pass each.
#pragma once
#include <vector>

#include <torch/types.h>

namespace glidepath {

using Tensors = std::vector<torch::Tensor>;

/// The sum of the products of corresponding elements, in double. The tensors are float32, in pairs of one
/// shape, dense in whatever memory format. On the CPU sums are taken over fixed blocks, so that they do not
/// depend on the number of threads.
double inner_product(const Tensors& a, const Tensors& b);

/// sum += weight * gradient, element by element, for sums of double, flat, in the memory order of `like`.
void add_scaled(Tensors& sum, const Tensors& gradients, double weight, const Tensors& like);

/// The gradients of the parameters, in the parameters' memory order.
Tensors gradients_of(const Tensors& parameters);
/// Each in the memory order of its parameter: copied where it is not.
Tensors in_order_of(Tensors tensors, const Tensors& parameters);

}  // namespace glidepath
