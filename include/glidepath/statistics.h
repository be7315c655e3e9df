// include/glidepath/statistics.h - the few statistics that tables and figures need.
#pragma once
#include <vector>

namespace glidepath {

/// Arithmetic mean; NaN for no values.
double mean(const std::vector<double>& values);

/// Sample standard deviation (n - 1 in the denominator); NaN for fewer than 2 values.
double sample_stddev(const std::vector<double>& values);

/// The rank of each value, 1 for the best; equal values share the mean of their ranks. Values are finite.
std::vector<double> ranks(const std::vector<double>& values, bool higher_is_better);

/// Pearson's correlation of two lists of one length, in [-1, 1]; NaN for fewer than 2 pairs or where either
/// list is constant. Throws InputError when the lengths differ.
double correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace glidepath
