// src/nn/kernels/conv3x3.cpp - convolutions that are ours where they are faster.
#include "nn/kernels/conv3x3.h"

#include <algorithm>
#include <utility>

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/conv.h>

#include "glidepath/error.h"
#include "nn/conv_padding.h"
#include "nn/kernels/winograd/winograd.h"
#include "nn/kernels/winograd_guard.h"

namespace glidepath {
namespace {

using torch::Tensor;

// Fewer make the transforms dearer than what the products save.
constexpr std::int64_t kFewestChannels = 24;

thread_local bool is_allowed = false;

winograd::Shape shape_of(const Tensor& x, const Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

bool autocast_is_on() {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  return at::autocast::is_autocast_enabled(torch::kCPU);
#else
  return at::autocast::is_cpu_enabled();
#endif
}

const float* data_of(const Tensor& tensor) { return tensor.data_ptr<float>(); }

Tensor like_channels_last(const Tensor& x, std::int64_t channels) {
  return torch::empty({x.size(0), channels, x.size(2), x.size(3)},
                      x.options().memory_format(torch::MemoryFormat::ChannelsLast));
}

class Conv3x3 : public torch::autograd::Function<Conv3x3> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight) {
    Tensor y = like_channels_last(x, weight.size(0));
    const Tensor taps = weight.permute({2, 3, 1, 0}).contiguous();
    winograd::forward(shape_of(x, weight), data_of(x), data_of(taps), y.data_ptr<float>());
    context->save_for_backward({x, weight});
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    if (torch::GradMode::is_enabled()) {
      throw RunError("convolve: Winograd's convolution has no second derivative; use conv = \"library\"");
    }
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    Tensor dx, dweight;
    if (context->needs_input_grad(0)) {
      dx = like_channels_last(x, x.size(1));
      const Tensor taps = weight.flip({2, 3}).permute({2, 3, 0, 1}).contiguous();
      winograd::Shape turned = shape_of(x, weight);
      std::swap(turned.channels, turned.filters);
      winograd::forward(turned, data_of(dy), data_of(taps), dx.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      Tensor taps = torch::empty({3, 3, weight.size(1), weight.size(0)}, weight.options());
      winograd::filter_gradients(shape_of(x, weight), data_of(x), data_of(dy), taps.data_ptr<float>());
      dweight = taps.permute({3, 2, 0, 1}).contiguous(weight.suggest_memory_format());
    }
    return {dx, dweight};
  }
};

bool is_3x3(const torch::nn::Conv2dImpl& conv) {
  const auto& options = conv.options;
  const auto all = [](const auto& pair, std::int64_t value) {
    return (*pair)[0] == value && (*pair)[1] == value;
  };
  const auto* padding = padding_of(conv);
  return all(options.kernel_size(), 3) && all(options.stride(), 1) && all(options.dilation(), 1) &&
         options.groups() == 1 && padding != nullptr && all(*padding, 1) && pads_with_zeros(conv);
}

bool fits(const torch::nn::Conv2dImpl& conv, const Tensor& x) {
  const Tensor& weight = conv.weight;
  const auto is_float = [](const Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32;
  };
  return is_allowed && is_3x3(conv) && !conv.bias.defined() && is_float(x) && is_float(weight) &&
         x.dim() == 4 && x.numel() > 0 && x.size(1) == weight.size(1) && !autocast_is_on() &&
         x.is_contiguous(torch::MemoryFormat::ChannelsLast) && fits_winograd(weight.size(1), weight.size(0));
}

/// oneDNN 2.7 (LibTorch 1.13) on AMX gives gradients of weights in bfloat16 that are wrong, or NaN, for many
/// pictures of 240 and more columns.
bool is_wrong_in_bf16(const torch::nn::Conv2dImpl& conv, const Tensor& x) {
#if TORCH_VERSION_MAJOR < 2
  constexpr std::int64_t kWidest = 224;  // all of up to here were right
  return x.dim() == 4 && x.size(3) > kWidest && x.is_cpu() && autocast_is_on() && is_3x3(conv);
#else
  static_cast<void>(conv);
  static_cast<void>(x);
  return false;
#endif
}

/// While alive, operators on the CPU compute in what they are given.
class AutocastOff {
 public:
  AutocastOff() { set(false); }
  ~AutocastOff() { set(true); }
  AutocastOff(const AutocastOff&) = delete;
  AutocastOff& operator=(const AutocastOff&) = delete;

 private:
  static void set(bool on) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_enabled(torch::kCPU, on);
#else
    at::autocast::set_cpu_enabled(on);
#endif
  }
};

}  // namespace

WinogradGuard::WinogradGuard(bool on) : before_(is_allowed) { is_allowed = on; }
WinogradGuard::~WinogradGuard() { is_allowed = before_; }
bool WinogradGuard::is_possible() { return winograd::kernels_for(kFewestChannels) != nullptr; }

bool fits_winograd(std::int64_t channels, std::int64_t filters) {
  return std::min(channels, filters) >= kFewestChannels && winograd::takes({1, 1, 1, channels, filters});
}

Tensor convolve(torch::nn::Conv2d& conv, const Tensor& x) {
  if (is_wrong_in_bf16(*conv, x)) {
    const AutocastOff off;
    return convolve(conv, x.to(torch::kFloat32)).to(torch::kBFloat16);
  }
  return fits(*conv, x) ? Conv3x3::apply(x, conv->weight) : conv(x);
}

}  // namespace glidepath
