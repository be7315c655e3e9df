// src/nn/kernels/batch_norm_kernels.h - the loops of batch norm over channels_last memory, for each
// instruction set.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath {

// The memory of a channels_last tensor is one long row in which channels repeat with period C. It is taken in
// tiles of lcm(C, kLanes) elements, so that every vector register holds the same channels in each tile.
// `tile` is that number, `tiles` how many whole ones there are, `count` elements from the start of one;
// arrays of one value for each element of a tile are named ..._lanes.
constexpr std::int64_t kLanes = 64;

/// Which gradients a ReLU lets through: those where what it was given is above 0. That is computed again from
/// x by scale_lanes and shift_lanes, which is faster than another walk over memory, unless a residual was
/// added: then it is where the outputs are above 0. Without any there is no ReLU.
template <typename T>
struct Passed {
  const T* outputs = nullptr;
  const float *scale_lanes = nullptr, *shift_lanes = nullptr;

  Passed from(std::int64_t first) const {
    return {outputs == nullptr ? nullptr : outputs + first, scale_lanes, shift_lanes};
  }
};

#define GLIDEPATH_DECLARE_KERNELS(T)                                                                       \
  /* Sums of (x - origin) and of its square, lane by lane, over whole tiles. */                            \
  void input_sums(const T* x, std::int64_t tile, std::int64_t tiles, const float* origin_lanes,            \
                  float* sum_lanes, float* square_lanes);                                                  \
  /* y = x * scale + shift + residual, and 0 instead where `relu` and that is below; residual may be null. \
   */                                                                                                      \
  void normalise(const T* x, const T* residual, T* y, std::int64_t tile, std::int64_t count,               \
                 const float* scale_lanes, const float* shift_lanes, bool relu);                           \
  /* Adds sums of g and of g * (x - mean); g is dy, 0 instead where it is not passed. */                   \
  void gradient_sums(const T* x, const Passed<T>& passed, const T* dy, std::int64_t tile,                  \
                     std::int64_t tiles, const float* mean_lanes, float* sum_lanes, float* product_lanes); \
  /* dx = a * g + b * x + c, and dresidual = g unless null. */                                             \
  void gradients(const T* x, const Passed<T>& passed, const T* dy, T* dx, T* dresidual, std::int64_t tile, \
                 std::int64_t count, const float* a_lanes, const float* b_lanes, const float* c_lanes);
GLIDEPATH_DECLARE_KERNELS(float)
GLIDEPATH_DECLARE_KERNELS(Bf16)
#undef GLIDEPATH_DECLARE_KERNELS

}  // namespace glidepath
