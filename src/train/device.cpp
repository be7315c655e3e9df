// src/train/device.cpp - where and in which number format a run computes.
#include "train/device.h"

#include <sys/resource.h>
#include <thread>

#include <ATen/autocast_mode.h>
#include <fmt/format.h>
#include <torch/torch.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif

#include "glidepath/error.h"

namespace glidepath {
namespace {

torch::Device choose_device(const std::string& text) {
  if (text == "cpu" || (text == "auto" && !torch::cuda::is_available())) return torch::kCPU;
  if (!torch::cuda::is_available()) {
    throw InputError(fmt::format("device \"{}\": this LibTorch sees no CUDA device; use cpu or auto", text));
  }
  const torch::Device device(text == "auto" ? "cuda" : text);
  if (device.index() >= static_cast<int>(torch::cuda::device_count())) {
    throw InputError(fmt::format("device \"{}\": this machine has {} CUDA device(s), counted from 0", text,
                                 torch::cuda::device_count()));
  }
  return device;
}

// LibTorch 2.4 gave one function for all device types what had been one function for each.
void set_autocast(torch::DeviceType type, bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_enabled(type, enabled);
  if (enabled) at::autocast::set_autocast_dtype(type, torch::kBFloat16);
#else
  if (type == torch::kCUDA) {
    at::autocast::set_enabled(enabled);
    if (enabled) at::autocast::set_autocast_gpu_dtype(torch::kBFloat16);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    if (enabled) at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
  }
#endif
}

}  // namespace

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

bool cpu_has_bf16() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__) && defined(__linux__) && defined(HWCAP2_BF16)
  return (getauxval(AT_HWCAP2) & HWCAP2_BF16) != 0;
#else
  return false;
#endif
}

bool cpu_is_fast_in_bf16() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (!cpu_has_bf16()) return false;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool has_leaf = __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0;
  constexpr unsigned kAmxBf16 = 1U << 22;
  return (has_leaf && (edx & kAmxBf16) != 0) || __builtin_cpu_is("amd");
#else
  return cpu_has_bf16();
#endif
}

ComputePlan plan_compute(const TrainConfig& config) {
  ComputePlan plan;
  plan.device = choose_device(config.device);
  const bool bf16_pays = plan.device.is_cuda() || cpu_is_fast_in_bf16();
  plan.bf16 = config.precision == "bf16" || (config.precision == "auto" && bf16_pays);
  plan.channels_last = config.channels_last == "true" || config.channels_last == "auto";
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  plan.threads = config.threads > 0 ? static_cast<int>(config.threads) : static_cast<int>(cores);
  torch::set_num_threads(plan.threads);
  return plan;
}

AutocastGuard::AutocastGuard(const ComputePlan& plan) : device_type_(plan.device.type()), active_(plan.bf16) {
  if (!active_) return;
  at::autocast::increment_nesting();
  set_autocast(device_type_, true);
}

AutocastGuard::~AutocastGuard() {
  if (!active_) return;
  // The cache holds bf16 copies of the weights for one forward; the next one has new weights.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_autocast(device_type_, false);
}

}  // namespace glidepath
