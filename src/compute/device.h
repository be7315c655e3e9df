// src/compute/device.h - where and in which number format a run computes: device, autocast, threads, memory
// format.
#pragma once
#include <string>

#include <torch/types.h>

#include "glidepath/train_config.h"
#include "nn/kernels/conv_guard.h"

namespace glidepath {

/// What the `auto` values of a configuration come to on this machine.
struct ComputePlan {
  torch::Device device{torch::kCPU};
  bool bf16 = false;         ///< autocast to bfloat16
  bool fp16 = false;         ///< autocast to float16; not both
  bool tf32 = false;         ///< products of float32 numbers may be rounded to TF32's 10 bits
  bool scales_loss = false;  ///< the loss is multiplied by a LossScaler
  bool channels_last = false;
  ConvKernels conv = ConvKernels::kLibrary;  ///< of 3x3 convolutions on the CPU, where they fit
  bool cuda_graphs = false;                  ///< forward and backward passes are launched by StepGraphs
  int threads = 1;
  torch::MemoryFormat memory_format() const {
    return channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  }
  /// What it is called in the configuration: bf16, fp16, tf32 or fp32.
  std::string precision() const;
};

/// Throws InputError for a device that this machine or this LibTorch does not have, and for a precision that
/// the device does not have. Sets torch's thread count, the current GPU and how kernels are chosen there.
ComputePlan plan_compute(const TrainConfig& config);

/// Largest resident set of this process so far.
double peak_memory_mib();

/// True where this CPU multiplies bf16 in hardware.
bool cpu_has_bf16();

/// True where training in bf16 is faster than in fp32: AMX's tiles, AMD's AVX-512, Arm's. Intel's AVX-512
/// alone multiplies no more numbers in bf16 than in fp32, and conversions come on top (docs/performance.md).
bool cpu_is_fast_in_bf16();

/// While alive, torch runs convolutions and matrix products in bf16 or fp16 where the plan says so.
class AutocastGuard {
 public:
  explicit AutocastGuard(const ComputePlan& plan);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  torch::DeviceType device_type_;
  bool active_;
};

}  // namespace glidepath
