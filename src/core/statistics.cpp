// src/core/statistics.cpp - the few statistics that tables and figures need.
#include "glidepath/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "core/student_t.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
}  // namespace

double mean(const std::vector<double>& values) {
  if (values.empty()) return kNone;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sample_stddev(const std::vector<double>& values) {
  if (values.size() < 2) return kNone;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::vector<double> ranks(const std::vector<double>& values, bool higher_is_better) {
  std::vector<double> result;
  for (const double value : values) {
    double better = 0, equal = 0;
    for (const double other : values) {
      better += (higher_is_better ? other > value : other < value) ? 1 : 0;
      equal += other == value ? 1 : 0;
    }
    result.push_back(better + (equal + 1) / 2);
  }
  return result;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) {
    throw InputError(fmt::format("correlation: {} values against {}; must be as many", a.size(), b.size()));
  }
  const auto is_constant = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
  };
  // By the values themselves: their mean is rounded, and what is left of it would correlate with anything.
  if (a.size() < 2 || is_constant(a) || is_constant(b)) return kNone;
  const double mean_a = mean(a), mean_b = mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  if (aa == 0 || bb == 0) return kNone;
  return std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

double PairedDifference::half_width(double alpha) const {
  if (pairs < 2) return std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(pairs);
  return student_t_quantile(1 - alpha / 2, n - 1) * stddev / std::sqrt(n);
}

PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size())
    throw InputError(
        fmt::format("paired difference: {} values against {}; must be as many", a.size(), b.size()));
  std::vector<double> differences;
  differences.reserve(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  PairedDifference found;
  found.pairs = differences.size();
  found.mean = mean(differences);
  found.stddev = sample_stddev(differences);
  if (found.pairs < 2) return found;
  const auto n = static_cast<double>(found.pairs);
  if (found.stddev == 0) {
    found.p_value = found.mean == 0 ? 1 : 0;
  } else {
    found.p_value = student_t_two_sided(found.mean / (found.stddev / std::sqrt(n)), n - 1);
  }
  return found;
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(order.size() - i) * p_values[order[i]]);
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

std::size_t pairs_needed(double difference, double stddev, double alpha, double power) {
  constexpr std::size_t kMost = 1'000'000;
  const auto suffices = [&](std::size_t pairs) {
    const auto n = static_cast<double>(pairs);
    const double sum = student_t_quantile(1 - alpha / 2, n - 1) + student_t_quantile(power, n - 1);
    return std::sqrt(n) * difference >= sum * stddev;
  };
  std::size_t low = 1, high = 2;  // high suffices, low does not
  while (high < kMost && !suffices(high)) {
    low = high;
    high = std::min(2 * high, kMost);
  }
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (suffices(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace glidepath
