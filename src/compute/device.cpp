// src/compute/device.cpp - where and in which number format a run computes.
#include "compute/device.h"

#include <sys/resource.h>

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <fmt/format.h>
#include <torch/types.h>
#include <torch/version.h>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#include "compute/choose_device.h"
#include "compute/cuda_graph.h"
#include "glidepath/error.h"
#include "nn/kernels/amx/amx.h"
#include "nn/kernels/conv_guard.h"
#include "system/cores.h"

namespace glidepath {
namespace {

// LibTorch 2.4 gave one function for all device types what had been one function for each.
void set_autocast(torch::DeviceType type, bool enabled, torch::ScalarType dtype) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_enabled(type, enabled);
  if (enabled) at::autocast::set_autocast_dtype(type, dtype);
#else
  if (type == torch::kCUDA) {
    at::autocast::set_enabled(enabled);
    if (enabled) at::autocast::set_autocast_gpu_dtype(dtype);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    if (enabled) at::autocast::set_autocast_cpu_dtype(dtype);
  }
#endif
}

/// On x86 every LibTorch does. Elsewhere the library beneath it may lack the kernels, as Debian's for Arm
/// does, and says so when it is asked to: so it is asked, once.
bool library_computes_in_bf16() {
#if defined(__x86_64__)
  return true;
#else
  static const bool computes = [] {
    try {
      const torch::AutoGradMode with_gradients(true);
      const auto options = torch::TensorOptions(torch::kBFloat16).requires_grad(true);
      const torch::Tensor images = at::ones({2, 32, 4, 4}, options),
                          filters = at::ones({32, 32, 3, 3}, options);
      const torch::Tensor weights = at::ones({32, 32}, options);
      at::linear(at::conv2d(images, filters, {}, 1, 1).mean(at::IntArrayRef{2, 3}), weights).sum().backward();
      return filters.grad().defined() && weights.grad().defined();
    } catch (const std::exception&) {
      return false;
    }
  }();
  return computes;
#endif
}

[[noreturn]] void refuse_on_cpu(const char* key, const std::string& text, const char* what_is_right) {
  throw InputError(fmt::format("{} \"{}\": needs a CUDA device; {}", key, text, what_is_right));
}

void choose_precision(ComputePlan& plan, const TrainConfig& config) {
  const std::string& wanted = config.precision;
  if (plan.device.is_cpu() && (wanted == "fp16" || wanted == "tf32")) {
    refuse_on_cpu("precision", wanted, "on the CPU use fp32, bf16 or auto");
  }
  if (plan.device.is_cpu() && wanted == "bf16" && !library_computes_in_bf16())
    throw InputError(
        "precision \"bf16\": this LibTorch does not compute in bf16 on this CPU; use fp32 or auto");
  const bool automatic = wanted == "auto";
  const bool gpu = plan.device.is_cuda();
  const bool bf16_pays = gpu ? automatic && gpu_has_bf16(plan.device) : cpu_is_fast_in_bf16();
  plan.bf16 = wanted == "bf16" || (automatic && bf16_pays);
  plan.fp16 = wanted == "fp16" || (automatic && gpu && !bf16_pays);
  plan.tf32 = wanted == "tf32";
  plan.scales_loss = config.loss_scale == "dynamic" || (config.loss_scale == "auto" && plan.fp16);
}

void choose_graphs(ComputePlan& plan, const TrainConfig& config) {
  if (config.cuda_graphs == "false") return;
  const std::string obstacle =
      !plan.device.is_cuda() ? "needs a CUDA device"
      : !CudaGraph::is_built()
          ? "this build has none: LibTorch 2.1 or later and the headers of the CUDA runtime "
            "are needed"
      : !config.measure.empty() ? "gradients that are measured cannot be a graph's"
                                : "";
  plan.cuda_graphs = obstacle.empty();
  if (config.cuda_graphs == "true" && !plan.cuda_graphs) {
    throw InputError(fmt::format("cuda_graphs \"true\": {}; use auto", obstacle));
  }
}

ConvKernels choose_convolutions(const ComputePlan& plan, const TrainConfig& config) {
  if (config.conv == "library") return ConvKernels::kLibrary;
  const ConvKernels wanted = config.conv == "winograd" ? ConvKernels::kWinograd : ConvKernels::kFastest;
  const std::string obstacle = !plan.device.is_cpu()                       ? "its kernels are the CPU's"
                               : !plan.channels_last                       ? "its kernels need channels_last"
                               : ConvGuard::is_possible(wanted, plan.bf16) ? ""
                               : plan.bf16 ? "in bf16 its kernels need AVX-512 BF16"
                                           : "this CPU has neither AVX2 nor AVX-512";
  if (config.conv == "winograd" && !obstacle.empty()) {
    throw InputError(fmt::format("conv \"winograd\": {}; use auto", obstacle));
  }
  return obstacle.empty() ? wanted : ConvKernels::kLibrary;
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
  return amx::processor_has_it() || __builtin_cpu_is("amd");
#else
  return cpu_has_bf16() && library_computes_in_bf16();
#endif
}

std::string ComputePlan::precision() const { return bf16 ? "bf16" : fp16 ? "fp16" : tf32 ? "tf32" : "fp32"; }

ComputePlan plan_compute(const TrainConfig& config) {
  ComputePlan plan;
  plan.device = choose_device(config.device, device_facts());
  if (plan.device.is_cuda()) use_gpu(plan.device);
  choose_precision(plan, config);
  if (plan.device.is_cuda()) set_gpu_kernels(config.deterministic, plan.tf32);
  // In float32, cuDNN has its faster kernels for the other format.
  const bool channels_last_pays = plan.device.is_cpu() || plan.bf16 || plan.fp16;
  plan.channels_last =
      config.channels_last == "true" || (config.channels_last == "auto" && channels_last_pays);
  choose_graphs(plan, config);
  plan.conv = choose_convolutions(plan, config);
  plan.threads = config.threads > 0 ? static_cast<int>(config.threads) : usable_cores();
  at::set_num_threads(plan.threads);
  return plan;
}

AutocastGuard::AutocastGuard(const ComputePlan& plan)
    : device_type_(plan.device.type()), active_(plan.bf16 || plan.fp16) {
  if (!active_) return;
  at::autocast::increment_nesting();
  set_autocast(device_type_, true, plan.fp16 ? torch::kFloat16 : torch::kBFloat16);
}

AutocastGuard::~AutocastGuard() {
  if (!active_) return;
  // The cache holds rounded copies of the weights for one forward; the next one has new weights.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  set_autocast(device_type_, false, torch::kBFloat16);
}

}  // namespace glidepath
