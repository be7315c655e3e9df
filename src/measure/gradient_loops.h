// src/measure/gradient_loops.h - loops over gradients, for several instruction sets; without torch.
#pragma once
#include <cstdint>

namespace glidepath {

/// The inner product in double, by sixteen sums side by side.
double block_product(const float* a, const float* b, std::int64_t count);

/// sum += weight * gradient.
void add_range(double* sum, const float* gradient, std::int64_t count, double weight);

}  // namespace glidepath
