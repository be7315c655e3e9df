// src/nn/kernels/sync_batch_norm.cpp - batch norm with the statistics of a batch that is spread over
// processes.
#include "nn/kernels/sync_batch_norm.h"

#include <utility>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/modules/batchnorm.h>

namespace glidepath {
namespace {

using torch::Tensor;

thread_local SumOverRanks current;
thread_local bool current_counts = true;

struct SumHolder : torch::CustomClassHolder {
  explicit SumHolder(SumOverRanks given) : sum(std::move(given)) {}
  SumOverRanks sum;
};

/// [C] as [1, C, 1, 1].
Tensor by_channel(const Tensor& values) { return values.view({1, -1, 1, 1}); }

/// Sums over all but the channels, float64 [C].
Tensor channel_sums(const Tensor& x) { return x.sum({0, 2, 3}, false, torch::kFloat64); }

/// (x - mean) invstd; what float32 cannot hold of the mean is not lost.
Tensor normalised(const Tensor& x, const Tensor& mean, const Tensor& invstd) {
  const Tensor near = mean.to(torch::kFloat32);
  const Tensor rest = (mean - near.to(torch::kFloat64)).to(torch::kFloat32);
  return (x - by_channel(near) - by_channel(rest)) * by_channel(invstd.to(torch::kFloat32));
}

class SyncBatchNorm : public torch::autograd::Function<SyncBatchNorm> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& input, const Tensor& weight,
                        const Tensor& bias, const Tensor& running_mean, const Tensor& running_var, double eps,
                        double momentum, const SumOverRanks& sum, bool counts) {
    const Tensor x = input.to(torch::kFloat32);
    const std::int64_t channels = x.size(1);
    // Squares around this part's own mean, so that no digits are lost where the mean is large beside the
    // deviation; float64 then has enough of them for sums around zero.
    const double rows = static_cast<double>(x.numel() / channels);
    const Tensor near = (channel_sums(x) / rows).to(torch::kFloat32), around = x - by_channel(near);
    const Tensor rest = channel_sums(around) / rows, own = near.to(torch::kFloat64) + rest;
    const Tensor squares = channel_sums(around.square()) + rows * (own.square() - rest.square());
    Tensor sums = torch::cat({rows * own, squares, torch::full({1}, rows, own.options())});
    if (!counts) sums.zero_();
    sum(sums);
    const Tensor count = sums[2 * channels];
    const Tensor mean = sums.narrow(0, 0, channels) / count;
    const Tensor variance = (sums.narrow(0, channels, channels) / count - mean.square()).clamp_min(0);
    const Tensor invstd = (variance + eps).rsqrt();
    if (count.item<double>() > 1) {  // one value has no unbiased variance
      running_mean.lerp_(mean.to(torch::kFloat32), momentum);
      running_var.lerp_((variance * (count / (count - 1))).to(torch::kFloat32), momentum);
    }
    Tensor y = normalised(x, mean, invstd) * by_channel(weight) + by_channel(bias);
    context->save_for_backward({x, weight, mean, invstd, count});
    context->saved_data["counts"] = counts;
    context->saved_data["sum"] = torch::IValue::make_capsule(c10::make_intrusive<SumHolder>(sum));
    return y.to(input.scalar_type());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &invstd = saved[3], &count = saved[4];
    const auto holder = c10::static_intrusive_pointer_cast<SumHolder>(context->saved_data["sum"].toCapsule());
    const Tensor dy = gradients[0].to(torch::kFloat32);
    const Tensor x_hat = normalised(x, mean, invstd);
    const Tensor dbias = channel_sums(dy), dweight = channel_sums(dy * x_hat);
    // The gradients of the weights are added up with all others; here the sums over all processes are needed
    // for the input's.
    Tensor sums = torch::cat({dbias, dweight});
    holder->sum(sums);
    const std::int64_t channels = dbias.size(0);
    const Tensor dbias_mean = (sums.narrow(0, 0, channels) / count).to(torch::kFloat32);
    const Tensor dweight_mean = (sums.narrow(0, channels, channels) / count).to(torch::kFloat32);
    const Tensor scale = (weight.to(torch::kFloat64) * invstd).to(torch::kFloat32);
    const Tensor dx = (dy - by_channel(dbias_mean) - x_hat * by_channel(dweight_mean)) * by_channel(scale);
    if (!context->saved_data["counts"].toBool()) dx.zero_();
    return {dx.to(gradients[0].scalar_type()),
            dweight.to(torch::kFloat32),
            dbias.to(torch::kFloat32),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

}  // namespace

SyncBatchNormGuard::SyncBatchNormGuard(SumOverRanks sum, bool counts)
    : before_(std::exchange(current, std::move(sum))),
      counted_before_(std::exchange(current_counts, counts)) {}
SyncBatchNormGuard::~SyncBatchNormGuard() {
  current = std::move(before_);
  current_counts = counted_before_;
}
const SumOverRanks& SyncBatchNormGuard::sum() { return current; }
bool SyncBatchNormGuard::counts() { return current_counts; }

Tensor sync_batch_norm(torch::nn::BatchNorm2d& norm, const Tensor& x, const SumOverRanks& sum, bool counts) {
  norm->num_batches_tracked.add_(1);
  return SyncBatchNorm::apply(x, norm->weight, norm->bias, norm->running_mean, norm->running_var,
                              norm->options.eps(), *norm->options.momentum(), sum, counts);
}

}  // namespace glidepath
