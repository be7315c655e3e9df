// src/compute/choose_device.cpp - which device a run computes on, and how a GPU chooses its kernels.
#include "compute/choose_device.h"

#include <cstdlib>
#include <dlfcn.h>

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <torch/version.h>

#include "core/words.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

void require_gpu(const std::string& text, const DeviceFacts& facts) {
  if (!facts.built_with_cuda) {
    throw InputError(fmt::format(
        "device \"{}\": this LibTorch was built without CUDA; use cpu, or build with a CUDA LibTorch "
        "(docs/install.md)",
        text));
  }
  if (facts.gpus > 0) return;
  const std::string limit =
      facts.visible ? fmt::format(", and CUDA_VISIBLE_DEVICES is \"{}\"", *facts.visible) : std::string();
  throw InputError(fmt::format(
      "device \"{}\": no GPU is visible{}; see what nvidia-smi says of the driver, or use cpu", text, limit));
}

}  // namespace

DeviceFacts device_facts() {
  DeviceFacts facts;
  facts.built_with_cuda = at::CUDAHooksRegistry()->Has("CUDAHooks");
  facts.gpus = facts.built_with_cuda ? static_cast<int>(torch::cuda::device_count()) : 0;
  facts.visible = environment("CUDA_VISIBLE_DEVICES");
  facts.local_rank = environment("LOCAL_RANK");
  return facts;
}

torch::Device choose_device(const std::string& text, const DeviceFacts& facts) {
  if (text == "cpu" || (text == "auto" && facts.gpus == 0)) return torch::kCPU;
  require_gpu(text, facts);
  const std::string prefix = "cuda:";
  const bool numbered = text.compare(0, prefix.size(), prefix) == 0;
  std::optional<std::int64_t> index = 0;
  if (numbered) {
    index = words::whole(text.substr(prefix.size()));
  } else if (facts.local_rank) {
    index = words::whole(*facts.local_rank);
  }
  if (index && *index >= 0 && *index < facts.gpus)
    return {torch::kCUDA, static_cast<torch::DeviceIndex>(*index)};
  if (numbered) {
    throw InputError(
        fmt::format("device \"{}\": this machine has {} GPU(s), counted from 0", text, facts.gpus));
  }
  throw InputError(
      fmt::format("device \"{}\": LOCAL_RANK is \"{}\", and this machine has {} GPU(s), counted from "
                  "0; start no more processes than that, or use cpu",
                  text, *facts.local_rank, facts.gpus));
}

void use_gpu(const torch::Device& device) { c10::impl::VirtualGuardImpl(device.type()).setDevice(device); }

bool gpu_has_bf16(const torch::Device& device) {
  // The CUDA runtime that LibTorch has loaded, asked without its headers.
  using GetAttribute = int (*)(int* value, int attribute, int device);
  constexpr int kComputeCapabilityMajor = 75, kSuccess = 0;
  const auto get_attribute = reinterpret_cast<GetAttribute>(dlsym(RTLD_DEFAULT, "cudaDeviceGetAttribute"));
  int major = 0;
  if (get_attribute != nullptr &&
      get_attribute(&major, kComputeCapabilityMajor, device.index()) == kSuccess) {
    return major >= 8;
  }
  // A runtime that is hidden inside LibTorch: cuDNN convolves bf16 numbers from 8.0 on.
  return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
}

void set_gpu_kernels(bool deterministic, bool tf32) {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuDNN(tf32);
  context.setAllowTF32CuBLAS(tf32);
  context.setBenchmarkCuDNN(!deterministic);
  context.setDeterministicCuDNN(deterministic);
  // An operator that has no such form runs, and warns.
  context.setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 2)
  context.setDeterministicFillUninitializedMemory(false);  // a debugging aid that costs a pass over memory
#endif
  // cuBLAS reads it when it starts; a choice that is made already stands.
  if (deterministic) setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
}

}  // namespace glidepath
