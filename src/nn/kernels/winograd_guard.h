// src/nn/kernels/winograd_guard.h - whether convolutions may be Winograd's.
#pragma once

namespace glidepath {

/// While alive, convolve() in this thread takes Winograd's kernels where they fit, in the backward pass that
/// follows too; outside it takes LibTorch's.
class WinogradGuard {
 public:
  explicit WinogradGuard(bool on);
  ~WinogradGuard();
  WinogradGuard(const WinogradGuard&) = delete;
  WinogradGuard& operator=(const WinogradGuard&) = delete;

  /// Whether this processor has any of the kernels of float32, or of bfloat16.
  static bool is_possible(bool in_bf16);

 private:
  bool before_;
};

}  // namespace glidepath
