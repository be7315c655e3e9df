// src/measure/gradient_loops.cpp - loops over gradients, for several instruction sets.
#include "measure/gradient_loops.h"

#include <array>
#include <cstddef>

#include "simd/clones.h"

namespace glidepath {
namespace {

constexpr std::size_t kLanes = 16;

}  // namespace

// Sixteen sums side by side: the compiler may not reorder one.
GLIDEPATH_CLONES
double block_product(const float* __restrict a, const float* __restrict b, std::int64_t count) {
  std::array<double, kLanes> lanes{};
  std::int64_t i = 0;
  for (; i + static_cast<std::int64_t>(kLanes) <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += static_cast<double>(a[static_cast<std::size_t>(i) + lane]) *
                     static_cast<double>(b[static_cast<std::size_t>(i) + lane]);
    }
  }
  double sum = 0;
  for (; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (const double lane : lanes) sum += lane;
  return sum;
}

GLIDEPATH_CLONES
void add_range(double* __restrict sum, const float* __restrict gradient, std::int64_t count, double weight) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += weight * static_cast<double>(gradient[i]);
}

}  // namespace glidepath
