// src/core/gradient_pairs.cpp - the arithmetic of the online estimate of the full gradient's norm.
#include "glidepath/gradient_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "glidepath/error.h"
#include "glidepath/statistics.h"

namespace glidepath {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

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

void GradientPairs::add_pair(const GradientPair& pair) {
  pairs_.push_back(pair);
  if (pairs_.size() > kMostPairs) pairs_.erase(pairs_.begin());
}

OnlineEstimate GradientPairs::estimate() const {
  OnlineEstimate estimate;
  estimate.pairs = static_cast<std::int64_t>(pairs_.size());
  estimate.peeks = static_cast<std::int64_t>(peeks_.size());
  if (pairs_.empty()) return estimate;
  double inner = 0, squared = 0, inverse = 0, lr = 0;
  for (const GradientPair& pair : pairs_) {
    inner += pair.inner;
    squared += pair.squared;
    inverse += pair.inverse_images;
    lr += pair.lr;
  }
  const double n = static_cast<double>(pairs_.size());
  inner /= n, squared /= n, inverse /= n, lr /= n;
  const Mean correction = weighted_mean(peeks_, peek_weights());
  inner += lr * correction.value;
  const double share = 1 / (inverse * static_cast<double>(training_images_));
  estimate.noise_trace = (squared - inner) / inverse;
  estimate.squared_norm = inner + share * (squared - inner);
  std::vector<double> series;
  for (const GradientPair& pair : pairs_) series.push_back((1 - share) * pair.inner + share * pair.squared);
  const double of_peeks = (1 - share) * lr;
  estimate.squared_error = std::sqrt(variance_of_mean(series) + of_peeks * of_peeks * correction.variance);
  return estimate;
}

// The window's own count whole. Those before it fade: what they say is of other weights.
std::vector<double> GradientPairs::peek_weights() const {
  std::vector<double> weights(peeks_.size(), 1);
  for (std::size_t i = 0; i < older_peeks_; ++i)
    weights[i] = std::exp2(-static_cast<double>(older_peeks_ - i) / kHalving);
  return weights;
}

void GradientPairs::start_window() {
  pairs_.clear();
  if (peeks_.size() > kOlderPeeks)
    peeks_.erase(peeks_.begin(), peeks_.end() - static_cast<std::ptrdiff_t>(kOlderPeeks));
  older_peeks_ = peeks_.size();
}

void GradientPairs::restore(std::vector<GradientPair> pairs, std::vector<double> peeks,
                            std::size_t older_peeks) {
  if (older_peeks > peeks.size()) throw InputError("gradient pairs: fewer peeks than older ones");
  pairs_ = std::move(pairs);
  peeks_ = std::move(peeks);
  older_peeks_ = older_peeks;
}

}  // namespace glidepath
