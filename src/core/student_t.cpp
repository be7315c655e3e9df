// src/core/student_t.cpp - Student's t distribution.
#include "core/student_t.h"

#include <cmath>
#include <limits>

namespace glidepath {
namespace {

/// The continued fraction of I_x(a, b), by Lentz's method; converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10'000;  // the number grows as the root of a + b
  const auto not_zero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / not_zero(1 + even * d);
    c = not_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / not_zero(1 + odd * d);
    c = not_zero(1 + odd / c);
    const double factor = d * c;
    value *= factor;
    if (std::abs(factor - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return value;
}

/// The regularized incomplete beta function I_x(a, b), of x and of y = 1 - x, each as exact as it is known.
double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, y) / b;
}

}  // namespace

double student_t_two_sided(double t, double degrees) {
  if (std::isnan(t) || !(degrees > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(t)) return 0;
  const double square = t * t, sum = degrees + square;
  return incomplete_beta(degrees / 2, 0.5, degrees / sum, square / sum);
}

double student_t_cdf(double t, double degrees) {
  const double tail = student_t_two_sided(t, degrees) / 2;
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double degrees) {
  if (!(p > 0 && p < 1) || !(degrees > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (p == 0.5) return 0;
  const double tails = p < 0.5 ? 2 * p : 2 * (1 - p);  // of |t|
  double low = 0, high = 1;
  while (student_t_two_sided(high, degrees) > tails) {
    low = high;
    high *= 2;
  }
  // Halving finds the last bit in some 60 steps; nothing asks for more speed.
  for (double middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    (student_t_two_sided(middle, degrees) > tails ? low : high) = middle;
  }
  return p < 0.5 ? -high : high;
}

}  // namespace glidepath
