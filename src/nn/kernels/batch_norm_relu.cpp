// src/nn/kernels/batch_norm_relu.cpp - batch norm, residual addition and ReLU in as few passes over memory as
// they need.
#include "nn/kernels/batch_norm_relu.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>

#include "glidepath/error.h"
#include "nn/kernels/batch_norm_kernels.h"
#include "nn/kernels/parallel.h"
#include "nn/kernels/sync_batch_norm.h"

namespace glidepath {
namespace {

using torch::Tensor;

constexpr std::int64_t kLargestTile = 4096;
// Sums are taken over this many blocks and added up in order, whatever the number of threads.
constexpr std::int64_t kBlocks = 16;

/// How the elements of a tensor are divided: whole tiles into blocks, and a rest shorter than a tile.
struct Layout {
  std::int64_t channels, tile, tiles, count;
  explicit Layout(const Tensor& x)
      : channels(x.size(1)), tile(std::lcm(channels, kLanes)), tiles(x.numel() / tile), count(x.numel()) {}
  std::int64_t first_tile(std::int64_t block) const { return tiles * block / kBlocks; }
  std::int64_t rest_begin() const { return tiles * tile; }
};

using Sums = std::vector<double>;  // one a channel

/// Runs `block_sums(first element, tiles, out, out)` over all blocks, folds lanes to channels, and adds the
/// rest.
template <typename BlockSums, typename Rest>
std::pair<Sums, Sums> reduce(const Layout& layout, const BlockSums& block_sums, const Rest& rest) {
  std::vector<float> partial(static_cast<std::size_t>(2 * kBlocks * layout.tile));
  parallel_ranges(kBlocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = layout.first_tile(block);
      float* out = partial.data() + 2 * block * layout.tile;
      block_sums(first * layout.tile, layout.first_tile(block + 1) - first, out, out + layout.tile);
    }
  });
  Sums first(static_cast<std::size_t>(layout.channels)), second(first.size());
  for (std::int64_t block = 0; block < kBlocks; ++block) {
    const float* in = partial.data() + 2 * block * layout.tile;
    for (std::int64_t lane = 0; lane < layout.tile; ++lane) {
      const auto channel = static_cast<std::size_t>(lane % layout.channels);
      first[channel] += in[lane];
      second[channel] += in[layout.tile + lane];
    }
  }
  for (std::int64_t i = layout.rest_begin(); i < layout.count; ++i) {
    const auto channel = static_cast<std::size_t>(i % layout.channels);
    const auto [a, b] = rest(i, channel);
    first[channel] += a;
    second[channel] += b;
  }
  return {std::move(first), std::move(second)};
}

/// A value for each channel, repeated to a tile.
std::vector<float> lanes_of(const Layout& layout, const Sums& by_channel) {
  std::vector<float> lanes(static_cast<std::size_t>(layout.tile));
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    lanes[lane] = static_cast<float>(by_channel[lane % by_channel.size()]);
  }
  return lanes;
}

Sums channel_values(const Tensor& tensor) {
  const auto* data = tensor.data_ptr<float>();
  return {data, data + tensor.numel()};
}

template <typename Body>
void over_tiles(const Layout& layout, const Body& body) {
  const std::int64_t tiles = (layout.count + layout.tile - 1) / layout.tile;
  parallel_ranges(
      tiles, std::max<std::int64_t>(1, 16384 / layout.tile), [&](std::int64_t begin, std::int64_t end) {
        body(begin * layout.tile, std::min(end * layout.tile, layout.count) - begin * layout.tile);
      });
}

template <typename T>
T* data_of(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.data_ptr()) : nullptr;
}

template <typename T>
void apply(const Layout& layout, const T* x, const T* residual, T* y, const Sums& scale, const Sums& shift,
           bool relu) {
  const std::vector<float> scale_lanes = lanes_of(layout, scale), shift_lanes = lanes_of(layout, shift);
  over_tiles(layout, [&](std::int64_t first, std::int64_t count) {
    const T* r = residual == nullptr ? nullptr : residual + first;
    normalise(x + first, r, y + first, layout.tile, count, scale_lanes.data(), shift_lanes.data(), relu);
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

template <typename T>
void backward(const Layout& layout, const Tensor& x, const Tensor& y, const Tensor& dy, const Sums& mean,
              const Sums& invstd, const Sums& weight, Tensor& dx, Tensor& dresidual, Tensor& dweight,
              Tensor& dbias) {
  const T *xs = data_of<T>(x), *ys = data_of<T>(y), *dys = data_of<T>(dy);
  const std::vector<float> mean_lanes = lanes_of(layout, mean);
  const auto [sum, product] = reduce(
      layout,
      [&](std::int64_t first, std::int64_t tiles, float* s, float* q) {
        const T* yb = ys == nullptr ? nullptr : ys + first;
        gradient_sums(xs + first, yb, dys + first, layout.tile, tiles, mean_lanes.data(), s, q);
      },
      [&](std::int64_t i, std::size_t channel) {
        const double g = ys != nullptr && !(to_float(ys[i]) > 0) ? 0.0 : to_float(dys[i]);
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
  T *dxs = data_of<T>(dx), *drs = data_of<T>(dresidual);
  over_tiles(layout, [&](std::int64_t first, std::int64_t count) {
    const T* yb = ys == nullptr ? nullptr : ys + first;
    T* dr = drs == nullptr ? nullptr : drs + first;
    gradients(xs + first, yb, dys + first, dxs + first, dr, layout.tile, count, al.data(), bl.data(),
              cl.data());
  });
}

Tensor run_apply(const Layout& layout, const Tensor& x, const Tensor& residual, const Sums& scale,
                 const Sums& shift, bool relu) {
  Tensor y = torch::empty_like(x);
  if (x.scalar_type() == torch::kBFloat16) {
    using T = Bf16;
    apply<T>(layout, data_of<T>(x), data_of<T>(residual), data_of<T>(y), scale, shift, relu);
  } else {
    apply<float>(layout, data_of<float>(x), data_of<float>(residual), data_of<float>(y), scale, shift, relu);
  }
  return y;
}

/// Scale and shift that make batch norm one multiply-add.
std::pair<Sums, Sums> affine(const Sums& mean, const Sums& invstd, const Sums& weight, const Sums& bias) {
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
                        bool relu) {
    const Layout layout(x);
    const Tensor residual = added.value_or(Tensor());
    const Statistics batch = x.scalar_type() == torch::kBFloat16
                                 ? batch_statistics(layout, data_of<Bf16>(x))
                                 : batch_statistics(layout, data_of<float>(x));
    const double rows = static_cast<double>(layout.count / layout.channels);
    update_running(running_mean, batch.mean, 1, momentum);
    update_running(running_var, batch.variance, rows / (rows - 1), momentum);
    const Sums invstd = inverse_deviation(batch.variance, eps);
    const auto [scale, shift] = affine(batch.mean, invstd, channel_values(weight), channel_values(bias));
    Tensor y = run_apply(layout, x, residual, scale, shift, relu);
    context->save_for_backward({x, relu ? y : Tensor(), weight});
    context->saved_data["mean"] = batch.mean;
    context->saved_data["invstd"] = invstd;
    context->saved_data["residual"] = residual.defined();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    if (torch::GradMode::is_enabled()) {
      throw RunError(
          "batch_norm_relu: has no second derivative on the CPU in channels_last; use NCHW for it");
    }
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &y = saved[1], &weight = saved[2];
    const Tensor dy = gradients[0].to(x.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto mean = context->saved_data["mean"].toDoubleVector();
    const auto invstd = context->saved_data["invstd"].toDoubleVector();
    Tensor dx = torch::empty_like(x), dweight = torch::empty_like(weight), dbias = torch::empty_like(weight);
    Tensor dresidual = context->saved_data["residual"].toBool() ? torch::empty_like(x) : Tensor();
    const Layout layout(x);
    if (x.scalar_type() == torch::kBFloat16) {
      glidepath::backward<Bf16>(layout, x, y, dy, mean, invstd, channel_values(weight), dx, dresidual,
                                dweight, dbias);
    } else {
      glidepath::backward<float>(layout, x, y, dy, mean, invstd, channel_values(weight), dx, dresidual,
                                 dweight, dbias);
    }
    return {dx, dresidual, dweight, dbias, Tensor(), Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

bool fits(const torch::nn::BatchNorm2dImpl& norm, const Tensor& x, const Tensor& residual) {
  const bool dtype_fits = x.scalar_type() == torch::kBFloat16 || x.scalar_type() == torch::kFloat32;
  const auto same_layout = [&](const Tensor& other) {
    return other.sizes() == x.sizes() && other.scalar_type() == x.scalar_type() &&
           other.is_contiguous(torch::MemoryFormat::ChannelsLast);
  };
  return x.is_cpu() && x.dim() == 4 && dtype_fits && same_layout(x) &&
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

}  // namespace

Tensor batch_norm_relu(torch::nn::BatchNorm2d& norm, const Tensor& x, const Tensor& residual, bool relu) {
  const bool training = norm->is_training();
  if (training && SyncBatchNormGuard::sum()) {
    Tensor y = sync_batch_norm(norm, x, SyncBatchNormGuard::sum(), SyncBatchNormGuard::counts());
    if (residual.defined()) y = y + residual;
    return relu ? y.relu() : y;
  }
  if (training && has_one_value(x)) {
    Tensor y = norm_of_one_value(*norm, x);
    if (residual.defined()) y = y + residual;
    return relu ? y.relu() : y;
  }
  if (!fits(*norm, x, residual) || (!training && torch::GradMode::is_enabled())) {
    Tensor y = norm(x);
    if (residual.defined()) y.add_(residual);
    return relu ? y.relu_() : y;
  }
  if (training) {
    norm->num_batches_tracked.add_(1);
    return BatchNormRelu::apply(x, residual.defined() ? c10::optional<Tensor>(residual) : c10::nullopt,
                                norm->weight, norm->bias, norm->running_mean, norm->running_var,
                                norm->options.eps(), *norm->options.momentum(), relu);
  }
  const auto [scale, shift] =
      affine(channel_values(norm->running_mean),
             inverse_deviation(channel_values(norm->running_var), norm->options.eps()),
             channel_values(norm->weight), channel_values(norm->bias));
  return run_apply(Layout(x), x, residual, scale, shift, relu);
}

}  // namespace glidepath
