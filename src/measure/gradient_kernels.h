// src/measure/gradient_kernels.h - sums over gradients in double, one pass each.
#pragma once
#include "glidepath/gradients.h"

namespace glidepath {

/// The sum of the products of corresponding elements, in double. The tensors are in pairs of one shape and
/// memory order. Of float32 on the CPU sums are taken over fixed blocks, so that they do not depend on the
/// number of threads.
double inner_product(const Tensors& a, const Tensors& b);

/// sum += weight * gradient, element by element, for sums of double, flat, in the gradients' memory order.
void add_scaled(Tensors& sum, const Tensors& gradients, double weight);

/// Each dense and in the memory order of its parameter: copied where it is not, zeros where there is none.
Tensors in_order_of(Tensors tensors, const Tensors& parameters);

}  // namespace glidepath
