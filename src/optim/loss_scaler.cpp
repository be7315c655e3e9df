// src/optim/loss_scaler.cpp - the factor that lifts fp16 gradients above the smallest number of fp16.
#include "optim/loss_scaler.h"

#include <cmath>

#include <ATen/core/grad_mode.h>
#include <torch/types.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr double kSmallestScale = 0x1p-24;  // forty halvings below the first one
constexpr std::int64_t kStateSize = 3;

}  // namespace

LossScaler::LossScaler(const torch::Device& device, const LossScalerOptions& options)
    : options_(options),
      scale_(torch::full({}, options.initial, torch::TensorOptions(device).dtype(torch::kFloat32))),
      found_inf_(torch::zeros_like(scale_)),
      growth_tracker_(torch::zeros({}, torch::TensorOptions(device).dtype(torch::kInt32))) {}

bool LossScaler::unscale(const std::vector<torch::Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  found_inf_.zero_();
  if (scale_.is_cuda() && !gradients.empty()) {
    // In double, as GradScaler does: the reciprocal of a small scale is no float.
    const torch::Tensor inverse = scale_.to(torch::kFloat64).reciprocal().to(torch::kFloat32);
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf_, inverse);
    at::_amp_update_scale_(scale_, growth_tracker_, found_inf_, options_.growth, options_.backoff,
                           options_.growth_interval);
  } else {  // older LibTorches have these two on CUDA alone
    unscale_with_operators(gradients);
    adapt();
  }
  const bool finite = found_inf_.item<float>() == 0;
  if (!finite) ++skipped_;
  return finite;
}

void LossScaler::unscale_with_operators(const std::vector<torch::Tensor>& gradients) {
  const auto inverse = static_cast<float>(1 / scale());
  for (torch::Tensor gradient : gradients) {
    if (!torch::isfinite(gradient).all().item<bool>()) found_inf_.fill_(1);
    gradient.mul_(inverse);
  }
}

void LossScaler::adapt() {
  if (found_inf_.item<float>() != 0) {
    scale_.fill_(static_cast<float>(scale() * options_.backoff));
    growth_tracker_.zero_();
    return;
  }
  growth_tracker_.add_(1);
  if (growth_tracker_.item<std::int32_t>() < options_.growth_interval) return;
  const auto grown = static_cast<float>(scale() * options_.growth);
  if (std::isfinite(grown)) scale_.fill_(grown);
  growth_tracker_.zero_();
}

bool LossScaler::is_exhausted() const { return scale() < kSmallestScale; }

torch::Tensor LossScaler::state() const {
  auto state = torch::empty({kStateSize}, torch::kFloat64);
  auto values = state.accessor<double, 1>();
  values[0] = scale();
  values[1] = growth_tracker_.item<double>();
  values[2] = static_cast<double>(skipped_);
  return state;
}

void LossScaler::set_state(const torch::Tensor& state) {
  if (!state.defined()) {
    scale_.fill_(options_.initial);
    growth_tracker_.zero_();
    skipped_ = 0;
    return;
  }
  if (state.dim() != 1 || state.size(0) != kStateSize || state.scalar_type() != torch::kFloat64) {
    throw InputError("checkpoint: loss_scaler has the wrong shape; the checkpoint is of another run");
  }
  const auto values = state.accessor<double, 1>();
  scale_.fill_(values[0]);
  growth_tracker_.fill_(values[1]);
  skipped_ = static_cast<std::int64_t>(values[2]);
}

}  // namespace glidepath
