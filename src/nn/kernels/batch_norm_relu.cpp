// src/nn/kernels/batch_norm_relu.cpp - batch norm, residual addition and ReLU in as few passes over memory as
// they need.
#include "nn/kernels/batch_norm_relu.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>

#include "nn/kernels/batch_norm_kernels.h"
#include "nn/kernels/batch_norm_layout.h"
#include "nn/kernels/gelu.h"
#include "nn/kernels/gelu_kernels.h"
#include "nn/kernels/own_operator.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/sync_batch_norm.h"

namespace glidepath {
namespace {

using torch::Tensor;
using namespace batch_norm;

constexpr std::int64_t kLargestTile = 4096;

Sums channel_values(const Tensor& tensor) {
  const auto* data = tensor.data_ptr<float>();
  return {data, data + tensor.numel()};
}

template <typename T>
T* data_of(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

enum class Activation : std::int64_t { kNone, kRelu, kGelu };

template <typename T>
void apply(const Layout& layout, const T* x, const T* residual, T* y, const Sums& scale, const Sums& shift,
           Activation activation) {
  const std::vector<float> scale_lanes = lanes_of(layout, scale), shift_lanes = lanes_of(layout, shift);
  const auto run = [&](std::int64_t first, T* to, std::int64_t count) {
    const T* r = residual == nullptr ? nullptr : residual + first;
    normalise(x + first, r, to, layout.tile, count, scale_lanes.data(), shift_lanes.data(),
              activation == Activation::kRelu);
  };
  over_tiles(layout, [&](std::int64_t first, std::int64_t count) {
    if (activation != Activation::kGelu) return run(first, y + first, count);
    std::vector<T> between(layout.numbers_in_cache());
    layout.in_cache(first, first + count, [&](std::int64_t i, std::int64_t n) {
      run(i, between.data(), n);
      gelu_values(between.data(), y + i, n);
    });
  });
}

struct Statistics {
  Sums mean, variance;  // biased
};

template <typename T>
Sums rough_means(const Layout& layout, const T* x, std::int64_t rows) {
  constexpr std::int64_t kSamples = 8;
  Sums means(static_cast<std::size_t>(layout.channels));
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const T* row = x + rows * sample / kSamples * layout.channels;
    for (std::size_t c = 0; c < means.size(); ++c) means[c] += to_float(row[c]) / kSamples;
  }
  return means;
}

/// Mean and variance in one pass. Sums of squares lose digits where the mean is large beside the deviation,
/// so they are taken around an origin that lies near the mean: each channel's average over a few pixels.
template <typename T>
Statistics batch_statistics(const Layout& layout, const T* x) {
  const std::int64_t rows = layout.count / layout.channels;
  Sums origin = rough_means(layout, x, rows);
  const std::vector<float> origin_lanes = lanes_of(layout, origin);
  auto [sum, square] = reduce(
      layout,
      [&](std::int64_t first, std::int64_t tiles, float* s, float* q) {
        input_sums(x + first, layout.tile, tiles, origin_lanes.data(), s, q);
      },
      [&](std::int64_t i, std::size_t channel) {
        const double v = to_float(x[i]) - origin_lanes[channel];
        return std::make_pair(v, v * v);
      });
  for (std::size_t c = 0; c < sum.size(); ++c) {
    const double offset = sum[c] / static_cast<double>(rows);
    square[c] = std::max(0.0, square[c] / static_cast<double>(rows) - offset * offset);
    sum[c] = origin_lanes[c] + offset;
  }
  return {std::move(sum), std::move(square)};
}

struct Affine {
  Sums scale, shift;
};

/// Gradients of norms and GELUs together: dy, as of what the norm gave, which is computed again.
template <typename T>
class GeluGradients {
 public:
  GeluGradients(const Layout& layout, const T* x, const T* dy, const Affine& affine)
      : layout_(layout),
        x_(x),
        dy_(dy),
        scale_lanes_(lanes_of(layout, affine.scale)),
        shift_lanes_(lanes_of(layout, affine.shift)) {}
  /// g[i], first <= i < first + count, of pieces that fit `between`.
  void write(std::int64_t first, std::int64_t count, std::vector<T>& between, T* g) const {
    normalise(x_ + first, nullptr, between.data(), layout_.tile, count, scale_lanes_.data(),
              shift_lanes_.data(), false);
    gelu_gradients(between.data(), dy_ + first, g + first, count);
  }

 private:
  const Layout& layout_;
  const T *x_, *dy_;
  std::vector<float> scale_lanes_, shift_lanes_;
};

/// What the norm's backward pass needs of the forward one.
struct Saved {
  Tensor x, y;  ///< y only with a ReLU behind a residual
  Activation activation;
  Sums mean, invstd, weight;
  std::optional<Affine> affine;  ///< for a GELU, or a ReLU of what the norm gave
};

/// The same as the kernels find, of the i-th element, the j-th from the start of a tile.
template <typename T>
bool is_passed(const Passed<T>& passed, const T* x, std::int64_t i, std::int64_t j) {
  if (passed.outputs != nullptr) return to_float(passed.outputs[i]) > 0;
  return passed.scale_lanes == nullptr || to_float(x[i]) * passed.scale_lanes[j] + passed.shift_lanes[j] > 0;
}

/// With a GELU, dx holds the gradients of what the norm gave until it gets its own.
template <typename T>
void backward(const Layout& layout, const Saved& saved, const Tensor& dy, Tensor& dx, Tensor& dresidual,
              Tensor& dweight, Tensor& dbias) {
  const Sums &mean = saved.mean, &invstd = saved.invstd, &weight = saved.weight;
  const bool gelu = saved.activation == Activation::kGelu;
  T *dxs = data_of<T>(dx), *drs = data_of<T>(dresidual);
  const T *xs = data_of<T>(saved.x), *dys = gelu ? dxs : data_of<T>(dy);
  Passed<T> passed{data_of<T>(saved.y)};
  std::vector<float> scale_lanes, shift_lanes;
  if (saved.activation == Activation::kRelu && saved.affine) {
    scale_lanes = lanes_of(layout, saved.affine->scale);
    shift_lanes = lanes_of(layout, saved.affine->shift);
    passed = {nullptr, scale_lanes.data(), shift_lanes.data()};
  }
  const std::vector<float> mean_lanes = lanes_of(layout, mean);
  std::optional<GeluGradients<T>> through;
  if (gelu) {
    through.emplace(layout, xs, data_of<T>(dy), *saved.affine);
    std::vector<T> between(layout.numbers_in_cache());
    through->write(layout.rest_begin(), layout.count - layout.rest_begin(), between, dxs);
  }
  const auto [sum, product] = reduce(
      layout,
      [&](std::int64_t first, std::int64_t tiles, float* s, float* q) {
        const auto add = [&](std::int64_t i, std::int64_t count) {
          gradient_sums(xs + i, passed.from(i), dys + i, layout.tile, count / layout.tile, mean_lanes.data(),
                        s, q);
        };
        if (!gelu) return add(first, tiles * layout.tile);
        std::vector<T> between(layout.numbers_in_cache());
        layout.in_cache(first, first + tiles * layout.tile, [&](std::int64_t i, std::int64_t count) {
          through->write(i, count, between, dxs);
          add(i, count);
        });
      },
      [&](std::int64_t i, std::size_t channel) {
        const double g = is_passed(passed, xs, i, i - layout.rest_begin()) ? to_float(dys[i]) : 0.0;
        return std::make_pair(g, g * (to_float(xs[i]) - mean[channel]));
      });
  const double rows = static_cast<double>(layout.count / layout.channels);
  Sums a(sum.size()), b(a), c(a);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    dbias.data_ptr<float>()[i] = static_cast<float>(sum[i]);
    dweight.data_ptr<float>()[i] = static_cast<float>(product[i] * invstd[i]);
    a[i] = weight[i] * invstd[i];
    b[i] = -a[i] * invstd[i] * invstd[i] * product[i] / rows;
    c[i] = -a[i] * sum[i] / rows - b[i] * mean[i];
  }
  const std::vector<float> al = lanes_of(layout, a), bl = lanes_of(layout, b), cl = lanes_of(layout, c);
  over_tiles(layout, [&](std::int64_t first, std::int64_t count) {
    const auto write = [&](std::int64_t i, std::int64_t n, T* to) {
      T* dr = drs == nullptr ? nullptr : drs + i;
      gradients(xs + i, passed.from(i), dys + i, to, dr, layout.tile, n, al.data(), bl.data(), cl.data());
    };
    if (!gelu) return write(first, count, dxs + first);
    std::vector<T> between(
        layout.numbers_in_cache());  // the loops are not made for results in their input's place
    layout.in_cache(first, first + count, [&](std::int64_t i, std::int64_t n) {
      write(i, n, between.data());
      std::copy_n(between.data(), n, dxs + i);
    });
  });
}

Tensor run_apply(const Layout& layout, const Tensor& x, const Tensor& residual, const Affine& affine,
                 Activation activation) {
  const auto& [scale, shift] = affine;
  Tensor y = torch::empty_like(x);
  if (x.scalar_type() == torch::kBFloat16) {
    using T = Bf16;
    apply<T>(layout, data_of<T>(x), data_of<T>(residual), data_of<T>(y), scale, shift, activation);
  } else {
    using T = float;
    apply<T>(layout, data_of<T>(x), data_of<T>(residual), data_of<T>(y), scale, shift, activation);
  }
  return y;
}

/// Scale and shift that make batch norm one multiply-add.
Affine affine(const Sums& mean, const Sums& invstd, const Sums& weight, const Sums& bias) {
  Sums scale(mean.size()), shift(mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    scale[c] = weight[c] * invstd[c];
    shift[c] = bias[c] - mean[c] * scale[c];
  }
  return {std::move(scale), std::move(shift)};
}

Sums inverse_deviation(const Sums& variance, double eps) {
  Sums invstd(variance.size());
  std::transform(variance.begin(), variance.end(), invstd.begin(),
                 [eps](double v) { return 1 / std::sqrt(v + eps); });
  return invstd;
}

void update_running(const Tensor& running, const Sums& batch, double correction, double momentum) {
  auto* values = running.data_ptr<float>();
  for (std::size_t c = 0; c < batch.size(); ++c) {
    values[c] = static_cast<float>((1 - momentum) * values[c] + momentum * correction * batch[c]);
  }
}

class BatchNormRelu : public torch::autograd::Function<BatchNormRelu> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x,
                        const c10::optional<Tensor>& added, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, double eps, double momentum,
                        std::int64_t activation) {
    const Layout layout(x);
    const Tensor residual = added.value_or(Tensor());
    const Statistics batch = x.scalar_type() == torch::kBFloat16
                                 ? batch_statistics(layout, data_of<Bf16>(x))
                                 : batch_statistics(layout, data_of<float>(x));
    const double rows = static_cast<double>(layout.count / layout.channels);
    update_running(running_mean, batch.mean, 1, momentum);
    update_running(running_var, batch.variance, rows / (rows - 1), momentum);
    const Sums invstd = inverse_deviation(batch.variance, eps);
    const auto kind = static_cast<Activation>(activation);
    const Affine all = affine(batch.mean, invstd, channel_values(weight), channel_values(bias));
    Tensor y = run_apply(layout, x, residual, all, kind);
    const bool needs_outputs = kind == Activation::kRelu && residual.defined();
    context->save_for_backward({x, needs_outputs ? y : Tensor(), weight});
    context->saved_data["activation"] = activation;
    if (kind != Activation::kNone && !needs_outputs) {
      context->saved_data["scale"] = all.scale;
      context->saved_data["shift"] = all.shift;
    }
    context->saved_data["mean"] = batch.mean;
    context->saved_data["invstd"] = invstd;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    refuse_second_derivative(
        "batch_norm_relu: has no second derivative on the CPU in channels_last; use NCHW for it");
    const auto variables = context->get_saved_variables();
    auto& data = context->saved_data;
    Saved saved{variables[0],
                variables[1],
                static_cast<Activation>(data["activation"].toInt()),
                data["mean"].toDoubleVector(),
                data["invstd"].toDoubleVector(),
                channel_values(variables[2]),
                {}};
    if (data.count("scale") > 0)
      saved.affine = {data["scale"].toDoubleVector(), data["shift"].toDoubleVector()};
    const Tensor &x = saved.x, &weight = variables[2];
    const Tensor dy = gradients[0].to(x.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
    Tensor dx = torch::empty_like(x), dweight = torch::empty_like(weight), dbias = torch::empty_like(weight);
    Tensor dresidual = data["residual"].toBool() ? torch::empty_like(x) : Tensor();
    const Layout layout(x);
    if (x.scalar_type() == torch::kBFloat16) {
      glidepath::backward<Bf16>(layout, saved, dy, dx, dresidual, dweight, dbias);
    } else {
      glidepath::backward<float>(layout, saved, dy, dx, dresidual, dweight, dbias);
    }
    return {dx, dresidual, dweight, dbias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

bool fits(const torch::nn::BatchNorm2dImpl& norm, const Tensor& x, const Tensor& residual) {
  const auto same_layout = [&](const Tensor& other) {
    return other.sizes() == x.sizes() && other.scalar_type() == x.scalar_type() &&
           other.is_contiguous(torch::MemoryFormat::ChannelsLast);
  };
  return x.is_cpu() && x.dim() == 4 && has_kernels_for(x) && same_layout(x) &&
         (!residual.defined() || same_layout(residual)) && std::lcm(x.size(1), kLanes) <= kLargestTile &&
         norm.weight.defined() && norm.weight.scalar_type() == torch::kFloat32 &&
         norm.running_mean.defined() && norm.options.momentum().has_value();
}

/// For each channel, as of a batch of one image whose features are a single pixel.
bool has_one_value(const Tensor& x) { return x.numel() == x.size(1); }

/// It is its own mean, so what is left is the bias. It tells nothing of the variance of others: the running
/// statistics stay. torch's module refuses such a batch, in the middle of a run.
Tensor norm_of_one_value(const torch::nn::BatchNorm2dImpl& norm, const Tensor& x) {
  const Tensor zero = x - x;
  if (!norm.weight.defined()) return zero;
  return (zero * norm.weight.view({1, -1, 1, 1}) + norm.bias.view({1, -1, 1, 1})).to(x.scalar_type());
}

/// The operators in turn; `norm` of x is given.
Tensor activated(Tensor y, const Tensor& residual, Activation activation) {
  if (residual.defined()) y = y + residual;
  return activation == Activation::kRelu   ? y.relu()
         : activation == Activation::kGelu ? glidepath::gelu(y)
                                           : y;
}

Tensor normalised(torch::nn::BatchNorm2d& norm, const Tensor& x, const Tensor& residual,
                  Activation activation) {
  const bool training = norm->is_training();
  if (training && SyncBatchNormGuard::sum()) {
    return activated(sync_batch_norm(norm, x, SyncBatchNormGuard::sum(), SyncBatchNormGuard::counts()),
                     residual, activation);
  }
  if (training && has_one_value(x)) return activated(norm_of_one_value(*norm, x), residual, activation);
  if (!fits(*norm, x, residual) || (!training && torch::GradMode::is_enabled())) {
    Tensor y = norm(x);
    if (residual.defined()) y.add_(residual);
    return activation == Activation::kRelu ? y.relu_() : activated(y, {}, activation);
  }
  if (training) {
    norm->num_batches_tracked.add_(1);
    return BatchNormRelu::apply(x, residual.defined() ? c10::optional<Tensor>(residual) : c10::nullopt,
                                norm->weight, norm->bias, norm->running_mean, norm->running_var,
                                norm->options.eps(), *norm->options.momentum(),
                                static_cast<std::int64_t>(activation));
  }
  return run_apply(Layout(x), x, residual,
                   affine(channel_values(norm->running_mean),
                          inverse_deviation(channel_values(norm->running_var), norm->options.eps()),
                          channel_values(norm->weight), channel_values(norm->bias)),
                   activation);
}

}  // namespace

Tensor batch_norm_relu(torch::nn::BatchNorm2d& norm, const Tensor& x, const Tensor& residual, bool relu) {
  return normalised(norm, x, residual, relu ? Activation::kRelu : Activation::kNone);
}

Tensor batch_norm_gelu(torch::nn::BatchNorm2d& norm, const Tensor& x) {
  return normalised(norm, x, {}, Activation::kGelu);
}

}  // namespace glidepath
