// src/data/batches/random_keys.h - what random numbers are for, which is part of their keys.
#pragma once
#include <cstdint>

namespace glidepath {

// So that crops do not repeat the order's numbers.
constexpr std::uint64_t kForOrder = 1, kForCrop = 2, kForResizedCrop = 3, kForSubstitute = 4, kForExample = 5,
                        kForFlip = 6, kForMixing = 7, kForErasing = 8, kForTrivialAugment = 9,
                        kForContinuation = 64;

}  // namespace glidepath
