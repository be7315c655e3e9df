// src/optim/effective_rate.cpp - the learning rate that parameters really get from an adaptive optimizer.
#include "glidepath/effective_rate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <torch/types.h>

namespace glidepath {
namespace {

std::vector<float> values_of(const std::vector<torch::Tensor>& tensors) {
  std::size_t count = 0;
  for (const torch::Tensor& tensor : tensors) count += static_cast<std::size_t>(tensor.numel());
  std::vector<float> values;
  values.reserve(count);
  for (const torch::Tensor& tensor : tensors) {
    const torch::Tensor flat = tensor.to(torch::kCPU, torch::kFloat32).reshape(-1).contiguous();
    values.insert(values.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
  }
  return values;
}

/// Of values that are not NaN, which are reordered: none before `sorted_to` is larger than one after it.
/// Moves `sorted_to` up, so quantiles must be asked for in rising order.
double quantile(std::vector<float>& values, std::ptrdiff_t& sorted_to, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto at = static_cast<std::ptrdiff_t>(place);
  const auto nth = values.begin() + at;
  std::nth_element(values.begin() + std::min(sorted_to, at), nth, values.end());
  sorted_to = at;
  const double low = *nth, fraction = place - static_cast<double>(at);
  if (fraction == 0) return low;
  const double high = *std::min_element(nth + 1, values.end());
  return low == high ? low : low + fraction * (high - low);  // infinities have no difference
}

}  // namespace

EffectiveRate effective_rate(const Optimizer& optimizer, double lr) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<float> factors = values_of(optimizer.rate_factors());
  double sum = 0;
  for (const float factor : factors) sum += factor;
  if (factors.empty() || std::isnan(sum)) return {nan, nan, nan, nan, nan, nan};
  EffectiveRate rate;
  std::ptrdiff_t sorted_to = 0;
  rate.q05 = lr * quantile(factors, sorted_to, 0.05);
  rate.q25 = lr * quantile(factors, sorted_to, 0.25);
  rate.median = lr * quantile(factors, sorted_to, 0.5);
  rate.q75 = lr * quantile(factors, sorted_to, 0.75);
  rate.q95 = lr * quantile(factors, sorted_to, 0.95);
  rate.mean = lr * sum / static_cast<double>(factors.size());
  return rate;
}

}  // namespace glidepath
