// src/nn/kernels/causal_softmax_kernels.h - the loops of causal_softmax(), for each instruction set.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath {

// A row is one token's `tokens` numbers, of which the first `seen` are looked at. `room` has space for
// `tokens` floats, rounded up to a multiple of kSoftmaxLanes.
constexpr std::int64_t kSoftmaxLanes = 16;

void softmax_row(const float* scores, float scale, std::int64_t seen, std::int64_t tokens, float* room,
                 float* y);
void softmax_row(const Bf16* scores, float scale, std::int64_t seen, std::int64_t tokens, float* room,
                 Bf16* y);
/// dx = scale y (dy - sum of y dy).
void softmax_row_gradient(const float* y, const float* dy, float scale, std::int64_t seen,
                          std::int64_t tokens, float* dx);
void softmax_row_gradient(const Bf16* y, const Bf16* dy, float scale, std::int64_t seen, std::int64_t tokens,
                          Bf16* dx);

}  // namespace glidepath
