// src/core/statistics.cpp - the few statistics that tables and figures need.
#include "glidepath/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

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

}  // namespace glidepath
