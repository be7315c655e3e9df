// src/nn/kernels/conv3x3.cpp - convolutions that are ours where they are faster.
#include "nn/kernels/conv3x3.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/conv.h>
#include <torch/version.h>

#include "nn/conv_padding.h"
#include "nn/kernels/amx/amx.h"
#include "nn/kernels/conv_guard.h"
#include "nn/kernels/own_operator.h"
#include "nn/kernels/winograd/winograd.h"

namespace glidepath {
namespace {

using torch::Tensor;

// Fewer make Winograd's transforms dearer than what the products save.
constexpr std::int64_t kFewestChannels = 24, kFewestInBf16 = 32;
// In Winograd's bfloat16, of pictures smaller than this the library is faster but for the filters' gradients.
constexpr std::int64_t kFewestPixels = 4;

thread_local ConvKernels allowed = ConvKernels::kLibrary;

/// Whether products in bfloat16 are those of AMX's tiles.
bool takes_tiles(ConvKernels kernels) { return kernels == ConvKernels::kFastest && amx::is_there(); }

winograd::Shape shape_of(const Tensor& x, const Tensor& weight) {
  return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0)};
}

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool autocast_is_on() { return at::autocast::is_autocast_enabled(torch::kCPU); }
torch::ScalarType autocast_type() { return at::autocast::get_autocast_dtype(torch::kCPU); }
void turn_autocast(bool on) { at::autocast::set_autocast_enabled(torch::kCPU, on); }
#else
bool autocast_is_on() { return at::autocast::is_cpu_enabled(); }
torch::ScalarType autocast_type() { return at::autocast::get_autocast_cpu_dtype(); }
void turn_autocast(bool on) { at::autocast::set_cpu_enabled(on); }
#endif
bool computes_in_bf16() { return autocast_is_on() && autocast_type() == torch::kBFloat16; }

Tensor in_channels_last(const Tensor& x) { return x.contiguous(torch::MemoryFormat::ChannelsLast); }

Tensor like_channels_last(const Tensor& x, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return torch::empty({x.size(0), channels, height, width},
                      x.options().memory_format(torch::MemoryFormat::ChannelsLast));
}

/// Calls body(pointer to the numbers of a tensor that is float32 or bfloat16).
template <typename Body>
void with_numbers(const Tensor& tensor, const Body& body) {
  if (tensor.scalar_type() == torch::kFloat32) return body(tensor.data_ptr<float>());
  body(static_cast<Bf16*>(tensor.data_ptr()));
}

/// y of x and taps [3, 3, C, K].
Tensor applied(const winograd::Shape& shape, const Tensor& x, const Tensor& taps) {
  Tensor y = like_channels_last(x, shape.filters, shape.height, shape.width);
  with_numbers(x, [&](auto* numbers) {
    winograd::forward(shape, numbers, taps.data_ptr<float>(), static_cast<decltype(numbers)>(y.data_ptr()));
  });
  return y;
}

Tensor filter_gradient(const winograd::Shape& shape, const Tensor& x, const Tensor& dy) {
  Tensor taps = torch::empty({3, 3, shape.channels, shape.filters}, x.options().dtype(torch::kFloat32));
  with_numbers(x, [&](auto* numbers) {
    winograd::filter_gradients(shape, numbers, static_cast<decltype(numbers)>(dy.data_ptr()),
                               taps.data_ptr<float>());
  });
  return taps;
}

/// Of a backward pass: whether the gradients of x and of the weight are needed.
struct Needed {
  bool input, filters;
};

/// In bfloat16, by AMX's tiles.
struct InTiles {
  static Tensor forward(const Tensor& x, const Tensor& weight, std::int64_t stride) {
    const amx::Shape shape = tiles_of(x, weight, stride);
    Tensor y = like_channels_last(x, shape.filters, shape.out_height(), shape.out_width());
    const Tensor w = in_channels_last(weight);
    amx::forward(shape, numbers_of(x), w.data_ptr<float>(), numbers_of(y));
    return y;
  }
  static std::pair<Tensor, Tensor> backward(const Tensor& x, const Tensor& weight, const Tensor& dy,
                                            std::int64_t stride, Needed needed) {
    const amx::Shape shape = tiles_of(x, weight, stride);
    Tensor dx, dweight;
    if (needed.input) {
      const Tensor w = in_channels_last(weight);
      dx = like_channels_last(x, x.size(1), x.size(2), x.size(3));
      amx::input_gradients(shape, numbers_of(dy), w.data_ptr<float>(), numbers_of(dx));
    }
    if (needed.filters) {
      dweight =
          torch::empty(weight.sizes(), weight.options().memory_format(torch::MemoryFormat::ChannelsLast));
      amx::filter_gradients(shape, numbers_of(x), numbers_of(dy), dweight.data_ptr<float>());
      dweight = dweight.contiguous(weight.suggest_memory_format());
    }
    return {dx, dweight};
  }

 private:
  static amx::Shape tiles_of(const Tensor& x, const Tensor& weight, std::int64_t stride) {
    return {x.size(0), x.size(2), x.size(3), weight.size(1), weight.size(0), weight.size(2), stride};
  }
  static Bf16* numbers_of(const Tensor& tensor) { return static_cast<Bf16*>(tensor.data_ptr()); }
};

/// By Winograd's method, in either precision, with stride 1.
struct ByWinograd {
  static Tensor forward(const Tensor& x, const Tensor& weight, std::int64_t /*stride*/) {
    if (has_few_pixels(x))
      return in_channels_last(
          at::convolution(x, weight.to(x.scalar_type()), {}, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1));
    return applied(shape_of(x, weight), x, weight.permute({2, 3, 1, 0}).contiguous());
  }
  static std::pair<Tensor, Tensor> backward(const Tensor& x, const Tensor& weight, const Tensor& dy,
                                            std::int64_t /*stride*/, Needed needed) {
    Tensor dx, dweight;
    if (needed.input) dx = input_gradient(x, weight, dy);
    if (needed.filters) {
      dweight = filter_gradient(shape_of(x, weight), x, dy)
                    .permute({3, 2, 0, 1})
                    .contiguous(weight.suggest_memory_format());
    }
    return {dx, dweight};
  }

 private:
  /// Whether products with x's pixels are the library's, all but the filters' gradients.
  static bool has_few_pixels(const Tensor& x) {
    return x.scalar_type() == torch::kBFloat16 && std::min(x.size(2), x.size(3)) < kFewestPixels;
  }
  static Tensor input_gradient(const Tensor& x, const Tensor& weight, const Tensor& dy) {
    if (has_few_pixels(x)) {
      const auto found = at::convolution_backward(dy, x, weight.to(x.scalar_type()), c10::nullopt, {1, 1},
                                                  {1, 1}, {1, 1}, false, {0, 0}, 1, {true, false, false});
      return in_channels_last(std::get<0>(found));
    }
    winograd::Shape turned = shape_of(x, weight);
    std::swap(turned.channels, turned.filters);
    return applied(turned, dy, weight.flip({2, 3}).permute({2, 3, 0, 1}).contiguous());
  }
};

template <typename Method>
class OwnConv : public torch::autograd::Function<OwnConv<Method>> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& weight,
                        std::int64_t stride) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    return Method::forward(x, weight, stride);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    refuse_second_derivative(
        "convolve: these convolutions have no second derivative; use conv = \"library\"");
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = in_channels_last(gradients[0].to(x.scalar_type()));
    const auto [dx, dweight] = Method::backward(x, weight, dy, context->saved_data["stride"].toInt(),
                                                {context->needs_input_grad(0), context->needs_input_grad(1)});
    return {dx, dweight, Tensor()};
  }
};

/// Whether these are square filters of this side and stride, with zeros around that leave a picture's size to
/// the stride.
bool is_square(const torch::nn::Conv2dImpl& conv, std::int64_t side, std::int64_t stride) {
  const auto& options = conv.options;
  const auto all = [](const auto& pair, std::int64_t value) {
    return (*pair)[0] == value && (*pair)[1] == value;
  };
  const auto* padding = padding_of(conv);
  return all(options.kernel_size(), side) && all(options.stride(), stride) && all(options.dilation(), 1) &&
         options.groups() == 1 && padding != nullptr && all(*padding, side / 2) && pads_with_zeros(conv);
}
bool is_3x3(const torch::nn::Conv2dImpl& conv) { return is_square(conv, 3, 1); }
/// Of a ResNet, where a stage begins.
bool is_strided(const torch::nn::Conv2dImpl& conv) { return is_square(conv, 3, 2) || is_square(conv, 1, 2); }

/// Whether kernels of ours could take this, with x rounded to bfloat16 first or as it is.
bool fits(const torch::nn::Conv2dImpl& conv, const Tensor& x, bool in_bf16) {
  const Tensor& weight = conv.weight;
  const auto is_float = [](const Tensor& tensor) { return tensor.scalar_type() == torch::kFloat32; };
  return !conv.bias.defined() && x.is_cpu() && weight.is_cpu() &&
         (in_bf16 ? has_kernels_for(x) : is_float(x)) && is_float(weight) && x.dim() == 4 && x.numel() > 0 &&
         x.size(1) == weight.size(1) && autocast_is_on() == in_bf16 &&
         x.is_contiguous(torch::MemoryFormat::ChannelsLast);
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
  AutocastOff() { turn_autocast(false); }
  ~AutocastOff() { turn_autocast(true); }
  AutocastOff(const AutocastOff&) = delete;
  AutocastOff& operator=(const AutocastOff&) = delete;
};

}  // namespace

ConvGuard::ConvGuard(ConvKernels kernels) : before_(allowed) { allowed = kernels; }
ConvGuard::~ConvGuard() { allowed = before_; }
bool ConvGuard::is_possible(ConvKernels kernels, bool in_bf16) {
  if (kernels == ConvKernels::kLibrary) return false;
  if (!in_bf16) return winograd::kernels_for(kFewestChannels) != nullptr;
  return takes_tiles(kernels) || winograd::bf16_kernels() != nullptr;
}

bool has_kernels(ConvKernels kernels, std::int64_t channels, std::int64_t filters, bool in_bf16) {
  if (!ConvGuard::is_possible(kernels, in_bf16)) return false;
  if (in_bf16 && takes_tiles(kernels)) return amx::takes(channels, filters);
  return std::min(channels, filters) >= (in_bf16 ? kFewestInBf16 : kFewestChannels) &&
         winograd::takes({1, 1, 1, channels, filters});
}

Tensor convolve(torch::nn::Conv2d& conv, const Tensor& x) {
  const Tensor& weight = conv->weight;
  if (computes_in_bf16() && fits(*conv, x, true)) {
    if (is_3x3(*conv) && has_kernels(allowed, weight.size(1), weight.size(0), true)) {
      const Tensor rounded = x.to(torch::kBFloat16);
      return takes_tiles(allowed) ? OwnConv<InTiles>::apply(rounded, weight, 1)
                                  : OwnConv<ByWinograd>::apply(rounded, weight, 1);
    }
    if (takes_tiles(allowed) && is_strided(*conv) &&
        amx::takes_strided(x.size(0), weight.size(1), weight.size(0)))
      return OwnConv<InTiles>::apply(x.to(torch::kBFloat16), weight, 2);
  }
  if (is_3x3(*conv) && fits(*conv, x, false) && has_kernels(allowed, weight.size(1), weight.size(0), false))
    return OwnConv<ByWinograd>::apply(x, weight, 1);
  if (is_wrong_in_bf16(*conv, x)) {
    const AutocastOff off;
    return convolve(conv, x.to(torch::kFloat32)).to(torch::kBFloat16);
  }
  return conv(x);
}

}  // namespace glidepath
