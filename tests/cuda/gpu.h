// tests/cuda/gpu.h - the GPU of a test, or the reason why there is none.
#pragma once
#include <string>

#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include "compute/choose_device.h"

namespace glidepath {

inline std::string why_no_gpu() {
  const DeviceFacts facts = device_facts();
  if (!facts.built_with_cuda) return "this LibTorch was built without CUDA";
  return facts.gpus == 0 ? "no GPU is visible" : "";
}

/// Skips every test of a machine without a GPU.
class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string why = why_no_gpu();
    if (!why.empty()) GTEST_SKIP() << why;
    use_gpu(gpu());
  }
  static torch::Device gpu() { return {torch::kCUDA, 0}; }
};

}  // namespace glidepath
