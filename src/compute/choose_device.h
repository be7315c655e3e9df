// src/compute/choose_device.h - which device a run computes on, and how a GPU chooses its kernels.
#pragma once
#include <string>

#include <torch/types.h>

#include "compute/device_facts.h"

namespace glidepath {

/// The device of `--device TEXT`: cpu, cuda:N, or for "cuda" the GPU with the number of the local rank, the
/// first one without a launcher; "auto" is "cuda" where there is a GPU, else cpu. A GPU has its index always.
/// Throws InputError, with a message of its own for each, where LibTorch has no CUDA, where no GPU is
/// visible, and for an index that there is not.
torch::Device choose_device(const std::string& text, const DeviceFacts& facts);

/// Makes `device` the current GPU of this thread.
void use_gpu(const torch::Device& device);

/// True where the GPU multiplies bf16 in hardware: compute capability 8.0 or higher.
bool gpu_has_bf16(const torch::Device& device);

/// How kernels are chosen on GPUs. `deterministic`: the same bits on the same GPU, so kernels that add in any
/// order are avoided, and cuDNN's are chosen by rule instead of by trying them. `tf32`: matrix products and
/// convolutions of float32 numbers round them to 10 bits of mantissa.
void set_gpu_kernels(bool deterministic, bool tf32);

}  // namespace glidepath
