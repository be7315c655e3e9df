// src/nn/kernels/max_pool_kernels.h - the loops of max-pooling, for each instruction set.
#pragma once
#include <cstdint>

#include "nn/kernels/bf16.h"

namespace glidepath {

/// Two rows of pixels [2 * columns, channels] to one of the largest of each square [columns, channels], and
/// which it was, 0 to 3: the first of equal ones, the last that is not a number.
void largest_of_squares(const float* upper, const float* lower, float* y, std::uint8_t* which,
                        std::int64_t columns, std::int64_t channels);
void largest_of_squares(const Bf16* upper, const Bf16* lower, Bf16* y, std::uint8_t* which,
                        std::int64_t columns, std::int64_t channels);
/// dy where the largest was, 0 elsewhere.
void gradients_of_squares(const float* dy, const std::uint8_t* which, float* upper, float* lower,
                          std::int64_t columns, std::int64_t channels);
void gradients_of_squares(const Bf16* dy, const std::uint8_t* which, Bf16* upper, Bf16* lower,
                          std::int64_t columns, std::int64_t channels);

}  // namespace glidepath
