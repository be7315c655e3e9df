// src/nn/kernels/winograd/avx512.cpp - vectors of 16 floats, of which AVX-512 has 32 registers.
#include "nn/kernels/winograd/kernels.h"

#if defined(__AVX512F__)
#include "nn/kernels/winograd/loops.h"

namespace glidepath::winograd {
const FloatKernels* avx512_kernels() {
  static constexpr FloatKernels kKernels = kernels_of<16, 12>();
  return &kKernels;
}
}  // namespace glidepath::winograd
#else
namespace glidepath::winograd {
const FloatKernels* avx512_kernels() { return nullptr; }
}  // namespace glidepath::winograd
#endif
