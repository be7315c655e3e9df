// src/study/results/prospect.cpp - what rows would reach at a budget, and how probably one is better than
// another.
#include "study/results/prospect.h"

#include <cmath>

namespace glidepath {
namespace {

constexpr double kCorrelation = 0.8;            // of rows that share seeds
constexpr std::size_t kManySeeds = 3;           // from which on they have it
constexpr double kIntervalSigmas = 2 * 1.6449;  // a 90 % interval of the normal distribution

}  // namespace

Prospect prospect_of(const BudgetCurve& curve, double budget) {
  const CurveErrors errors = errors_of(curve);
  const ForecastInterval found = Forecast(errors.points, errors.error_at_chance).at(budget);
  return {-found.median, std::abs(found.high - found.low) / kIntervalSigmas};
}

double odds_of(const Prospect& first, const Prospect& second, std::size_t shared_seeds) {
  const double shared = shared_seeds >= kManySeeds ? kCorrelation : 0;
  const double variance = first.deviation * first.deviation + second.deviation * second.deviation -
                          2 * shared * first.deviation * second.deviation;
  const double z = (first.score - second.score) / std::sqrt(variance);
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

double paired_odds(const PairedDifference& difference) {
  if (difference.pairs < 2) return 0.5;
  return difference.mean > 0 ? 1 - difference.p_value / 2 : difference.p_value / 2;
}

}  // namespace glidepath
