// include/glidepath/statistics.h - the few statistics that tables and figures need.
#pragma once
#include <cstddef>
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

/// The difference of two samples whose values belong together in pairs: of the same seed, which gives two
/// runs the same initial weights and order of data.
struct PairedDifference {
  std::size_t pairs = 0;
  double mean = 0;     ///< of a - b; NaN without a pair
  double stddev = 0;   ///< of the differences, n - 1; NaN for fewer than 2 pairs
  double p_value = 1;  ///< two-sided, of Student's paired t; 1 for fewer than 2 pairs, which show nothing
  /// Half the length of the interval mean ± that holds the true difference with probability 1 - alpha;
  /// infinite for fewer than 2 pairs. Differences without any spread have 0.
  double half_width(double alpha) const;
};

/// Throws InputError when the lengths differ.
PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b);

/// p-values of several comparisons, each in [0, 1], adjusted by Holm's step-down method: those that stay
/// below alpha are all true differences with probability 1 - alpha, however many comparisons there are.
/// Source  Holm, Scandinavian Journal of Statistics 6 (1979).
std::vector<double> holm(const std::vector<double>& p_values);

/// Pairs that a paired t test at level `alpha` needs to find a difference of `difference` with probability
/// `power`, where differences have the spread `stddev`; at least 2, at most 1,000,000. All above 0, alpha and
/// power below 1. Source  the usual formula n >= ((t_{1-alpha/2} + t_power) stddev / difference)^2, t of n -
/// 1 degrees of freedom.
std::size_t pairs_needed(double difference, double stddev, double alpha, double power = 0.8);

}  // namespace glidepath
