// src/core/student_t.h - Student's t distribution.
#pragma once

namespace glidepath {

/// P(T <= t) for `degrees` > 0 degrees of freedom, which need not be whole; exact to about 1e-12.
/// Source  Abramowitz & Stegun 26.7.1, by the regularized incomplete beta function 26.5.8.
double student_t_cdf(double t, double degrees);

/// P(|T| >= |t|): two-sided.
double student_t_two_sided(double t, double degrees);

/// The t with student_t_cdf(t, degrees) = p, for p in (0, 1).
double student_t_quantile(double p, double degrees);

}  // namespace glidepath
