// src/study/results/prospect.h - what rows would reach at a budget, and how probably one is better than
// another.
#pragma once
#include <cstddef>

#include "glidepath/budget_curve.h"
#include "glidepath/statistics.h"

namespace glidepath {

/// A normal distribution of a score of which higher ones are better.
struct Prospect {
  double score = 0, deviation = 0;
};

/// Of a curve's forecast. Throws InputError where it allows none.
Prospect prospect_of(const BudgetCurve& curve, double budget);

/// That the first is better than the second; from three seeds in common on with a correlation of 0.8.
double odds_of(const Prospect& first, const Prospect& second, std::size_t shared_seeds);

/// That the true difference is above 0: Student's t. 0.5 of fewer than two pairs.
double paired_odds(const PairedDifference& difference);

}  // namespace glidepath
