// src/nn/kernels/winograd/avx2.cpp - vectors of 8 floats, of which AVX2 has 16 registers.
#include "nn/kernels/winograd/kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include "nn/kernels/winograd/loops.h"

namespace glidepath::winograd {
const FloatKernels* avx2_kernels() {
  static constexpr FloatKernels kKernels = kernels_of<8, 6>();
  return &kKernels;
}
}  // namespace glidepath::winograd
#else
namespace glidepath::winograd {
const FloatKernels* avx2_kernels() { return nullptr; }
}  // namespace glidepath::winograd
#endif
