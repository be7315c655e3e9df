// src/nn/kernels/conv_guard.h - whose 3x3 convolutions are taken.
#pragma once

namespace glidepath {

enum class ConvKernels {
  kLibrary,   ///< LibTorch's
  kWinograd,  ///< ours by Winograd's method, in float32 and bfloat16
  kFastest,   ///< those, but in bfloat16 products of AMX's tiles where the processor has them
};

/// While alive, convolve() in this thread takes such kernels where they fit, in the backward pass that
/// follows too; outside it takes LibTorch's.
class ConvGuard {
 public:
  explicit ConvGuard(ConvKernels kernels);
  ~ConvGuard();
  ConvGuard(const ConvGuard&) = delete;
  ConvGuard& operator=(const ConvGuard&) = delete;

  /// Whether this processor has any of them that are ours, of float32 or of bfloat16.
  static bool is_possible(ConvKernels kernels, bool in_bf16);

 private:
  ConvKernels before_;
};

}  // namespace glidepath
