// src/measure/online_gradient.cpp - the full gradient's norm, estimated from the gradients that training
// computes.
#include "measure/online_gradient.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kPairFields = 4;

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double autocovariance(const std::vector<double>& values, double center, std::size_t lag) {
  double sum = 0;
  for (std::size_t i = lag; i < values.size(); ++i) sum += (values[i] - center) * (values[i - lag] - center);
  return sum / static_cast<double>(values.size());
}

/// Variance of the mean of a correlated series.
double variance_of_mean(const std::vector<double>& values) {
  if (values.size() < 2) return kNaN;
  const double n = static_cast<double>(values.size()), center = mean(values);
  const auto lags = static_cast<std::size_t>(4 * std::pow(n / 100, 2.0 / 9));
  const double alone = autocovariance(values, center, 0) * n / (n - 1);
  double variance = alone;
  for (std::size_t lag = 1; lag <= std::min(lags, values.size() - 1); ++lag) {
    const double weight = 1 - static_cast<double>(lag) / static_cast<double>(lags + 1);
    variance += 2 * weight * autocovariance(values, center, lag);
  }
  return variance / n;
}

struct Mean {
  double value = 0, variance = kNaN;  ///< of the mean itself; NaN for fewer than 2 values
};

/// Of independent values of one variance, with weights (reliability weights).
Mean weighted_mean(const std::vector<double>& values, const std::vector<double>& weights) {
  Mean found;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    found.value += weights[i] * values[i];
    sum += weights[i];
    squares += weights[i] * weights[i];
  }
  if (values.empty()) return found;
  found.value /= sum;
  if (values.size() < 2) return found;
  double spread = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    spread += weights[i] * (values[i] - found.value) * (values[i] - found.value);
  const double variance = spread / (sum - squares / sum);
  found.variance = variance * squares / (sum * sum);
  return found;
}

[[noreturn]] void refuse_state() {
  throw InputError("checkpoint: what it holds of grad-norm-online is of another run");
}

}  // namespace

double OnlineEstimate::norm() const { return std::sqrt(std::max(0.0, squared_norm)); }

double OnlineEstimate::low() const {
  return std::isnan(squared_error) ? kNaN : std::sqrt(std::max(0.0, squared_norm - squared_error));
}

double OnlineEstimate::high() const {
  return std::isnan(squared_error) ? kNaN : std::sqrt(std::max(0.0, squared_norm) + squared_error);
}

double OnlineEstimate::error() const { return (high() - low()) / 2; }

bool OnlineEstimate::may_be_high(std::int64_t training_images) const {
  const double known = squared_norm > 0 ? squared_norm : squared_error;
  return noise_trace > known * static_cast<double>(training_images) / 10;
}

double OnlineEstimate::noise_scale() const { return squared_norm > 0 ? noise_trace / squared_norm : kNaN; }

// A pair lies within one epoch: the last batch of one and the first of the next may share examples.
bool OnlineGradient::begins_pair(std::int64_t step) const {
  const std::int64_t place = step % options_.steps_per_epoch;
  return place % options_.stride == 0 && place + 1 < options_.steps_per_epoch;
}

bool OnlineGradient::wants(std::int64_t step) const {
  return begins_pair(step) || (first_step_ >= 0 && step == first_step_ + 1);
}

void OnlineGradient::observe(std::int64_t step, std::int64_t images, double lr, const Tensors& gradients,
                             const std::function<Tensors()>& peek) {
  const torch::NoGradGuard no_grad;
  // First of all: a batch that cannot be had leaves everything as it was.
  const bool peeks = begins_pair(step) && step >= peek_at_;
  Tensors next;
  if (peeks) {
    const torch::AutoGradMode grad(true);
    next = peek();
  }
  if (first_step_ >= 0 && step == first_step_ + 1) {
    const Pair pair{inner_product(first_, gradients),
                    (first_squared_ + inner_product(gradients, gradients)) / 2,
                    (1 / first_images_ + 1 / static_cast<double>(images)) / 2, first_lr_};
    if (has_peeked_) peeks_.push_back(first_lr_ > 0 ? (peeked_ - pair.inner) / first_lr_ : 0);
    pairs_.push_back(pair);
    if (pairs_.size() > kMostPairs) pairs_.erase(pairs_.begin());
    first_step_ = -1;
  }
  if (!begins_pair(step)) return;
  if (first_.empty()) {
    for (const torch::Tensor& gradient : gradients) first_.push_back(torch::empty_like(gradient));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) first_[i].copy_(gradients[i]);
  first_step_ = step;
  first_images_ = static_cast<double>(images);
  first_squared_ = inner_product(first_, first_);
  first_lr_ = lr;
  has_peeked_ = peeks;
  if (!has_peeked_) return;
  peek_at_ = step + options_.peek;
  peeked_ = inner_product(first_, next);
}

OnlineEstimate OnlineGradient::estimate() const {
  OnlineEstimate estimate;
  estimate.pairs = static_cast<std::int64_t>(pairs_.size());
  estimate.peeks = static_cast<std::int64_t>(peeks_.size());
  if (pairs_.empty()) return estimate;
  double inner = 0, squared = 0, inverse = 0, lr = 0;
  for (const Pair& pair : pairs_) {
    inner += pair.inner;
    squared += pair.squared;
    inverse += pair.inverse_images;
    lr += pair.lr;
  }
  const double n = static_cast<double>(pairs_.size());
  inner /= n, squared /= n, inverse /= n, lr /= n;
  const Mean correction = weighted_mean(peeks_, peek_weights());
  inner += lr * correction.value;
  const double share = 1 / (inverse * static_cast<double>(options_.training_images));
  estimate.noise_trace = (squared - inner) / inverse;
  estimate.squared_norm = inner + share * (squared - inner);
  std::vector<double> series;
  for (const Pair& pair : pairs_) series.push_back((1 - share) * pair.inner + share * pair.squared);
  const double of_peeks = (1 - share) * lr;
  estimate.squared_error = std::sqrt(variance_of_mean(series) + of_peeks * of_peeks * correction.variance);
  return estimate;
}

// The window's own count whole. Those before it fade: what they say is of other weights.
std::vector<double> OnlineGradient::peek_weights() const {
  std::vector<double> weights(peeks_.size(), 1);
  for (std::size_t i = 0; i < older_peeks_; ++i)
    weights[i] = std::exp2(-static_cast<double>(older_peeks_ - i) / kHalving);
  return weights;
}

void OnlineGradient::start_window() {
  pairs_.clear();
  if (peeks_.size() > kOlderPeeks)
    peeks_.erase(peeks_.begin(), peeks_.end() - static_cast<std::ptrdiff_t>(kOlderPeeks));
  older_peeks_ = peeks_.size();
}

TensorMap OnlineGradient::state() const {
  auto pairs = torch::empty({static_cast<std::int64_t>(pairs_.size()), kPairFields}, torch::kFloat64);
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    double* row = pairs.data_ptr<double>() + kPairFields * i;
    row[0] = pairs_[i].inner, row[1] = pairs_[i].squared;
    row[2] = pairs_[i].inverse_images, row[3] = pairs_[i].lr;
  }
  TensorMap state = {
      {"pairs", pairs},
      {"peeks", torch::tensor(peeks_, torch::kFloat64)},
      {"pending", torch::tensor({static_cast<double>(peek_at_), static_cast<double>(first_step_),
                                 first_images_, first_squared_, first_lr_, peeked_, has_peeked_ ? 1.0 : 0.0,
                                 static_cast<double>(older_peeks_)},
                                torch::kFloat64)}};
  if (first_step_ < 0) return state;
  for (std::size_t i = 0; i < first_.size(); ++i) state[fmt::format("first.{:04}", i)] = first_[i];
  return state;
}

void OnlineGradient::set_state(const TensorMap& state, const Tensors& parameters) {
  const torch::NoGradGuard no_grad;
  *this = OnlineGradient(options_);
  if (state.empty()) return;
  const auto of = [&](const std::string& name) {
    const auto found = state.find(name);
    if (found == state.end()) refuse_state();
    return found->second;
  };
  const torch::Tensor pairs = of("pairs"), peeks = of("peeks"), pending = of("pending");
  for (const torch::Tensor& each : {pairs, peeks, pending}) {
    if (each.scalar_type() != torch::kFloat64 || !each.is_contiguous()) refuse_state();
  }
  const bool knows_older = pending.numel() == 8;  // checkpoints of 0.1.0 do not: all count as the window's
  if (pairs.dim() != 2 || pairs.size(1) != kPairFields || peeks.dim() != 1 ||
      (!knows_older && pending.numel() != 7))
    refuse_state();
  for (std::int64_t i = 0; i < pairs.size(0); ++i) {
    const double* row = pairs.data_ptr<double>() + kPairFields * static_cast<std::size_t>(i);
    pairs_.push_back({row[0], row[1], row[2], row[3]});
  }
  peeks_.assign(peeks.data_ptr<double>(), peeks.data_ptr<double>() + peeks.numel());
  const double* values = pending.data_ptr<double>();
  peek_at_ = static_cast<std::int64_t>(values[0]);
  first_step_ = static_cast<std::int64_t>(values[1]);
  first_images_ = values[2], first_squared_ = values[3], first_lr_ = values[4], peeked_ = values[5];
  has_peeked_ = values[6] != 0;
  if (knows_older) {
    if (!(values[7] >= 0 && values[7] <= static_cast<double>(peeks_.size()))) refuse_state();
    older_peeks_ = static_cast<std::size_t>(values[7]);
  }
  for (std::size_t i = 0; first_step_ >= 0 && i < parameters.size(); ++i) {
    const torch::Tensor stored = of(fmt::format("first.{:04}", i));
    if (stored.sizes() != parameters[i].sizes()) refuse_state();
    first_.push_back(torch::empty_like(parameters[i]).copy_(stored));
  }
}

}  // namespace glidepath
