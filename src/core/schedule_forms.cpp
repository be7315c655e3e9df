// src/core/schedule_forms.cpp - the formulas of the schedules, as papers print them.
#include "core/schedule_forms.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace glidepath::forms {
namespace {

constexpr double kPi = 3.14159265358979323846;

// cos(pi p) with exact ends: cos(pi) is -1 in floating point, yet 1 + cos of the rounded product may not be
// 0.
double cos_pi(double progress) {
  if (progress <= 0) return 1;
  if (progress >= 1) return -1;
  return std::cos(kPi * progress);
}

double mix(double from, double to, double progress, bool cosine_shape) {
  return cosine_shape ? to + (from - to) * cosine(progress) : from + (to - from) * progress;
}

}  // namespace

double snapped(double x) {
  const double whole = std::round(x);
  return std::abs(x - whole) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(x) ? whole : x;
}

double poly(double progress, double power) { return std::pow(1 - progress, power); }

double cosine(double progress) { return (1 + cos_pi(progress)) / 2; }

double step(double progress, const std::vector<double>& milestones, double gamma) {
  const auto passed =
      std::count_if(milestones.begin(), milestones.end(), [&](double m) { return progress >= m; });
  return std::pow(gamma, static_cast<double>(passed));
}

double exponential(double progress, double gamma, double full_epochs) {
  return std::pow(gamma, progress * full_epochs);
}

double htd(double progress, double lower, double upper) {
  return (1 - std::tanh(lower + (upper - lower) * progress)) / 2;
}

double sgdr_epochs(double epochs, double first_cycle, double multiplier) {
  double length = first_cycle;
  if (multiplier == 1) {
    const double cycles = snapped(epochs / length);
    return cosine(cycles - std::floor(cycles));
  }
  while (epochs >= length) {
    epochs -= length;
    length *= multiplier;
  }
  return cosine(epochs / length);
}

double sgdr_cycles(double progress, int cycles) {
  if (progress >= 1) return 0;  // the end of the last cycle, not the beginning of one more
  const double position = snapped(progress * cycles);
  return cosine(position - std::floor(position));
}

double rex(double progress) { return (1 - progress) / (0.5 + 0.5 * (1 - progress)); }

double uba(double progress, double phi) {
  const double u = 1 + cos_pi(progress);
  return std::min(1.0, 2 * u / (2 * phi + (2 - phi) * u));
}

double onecycle(double progress, double peak, double div, double final_div, bool cosine_shape) {
  if (progress < peak) return mix(1 / div, 1, progress / peak, cosine_shape);
  return mix(1, 1 / (div * final_div), peak < 1 ? (progress - peak) / (1 - peak) : 1, cosine_shape);
}

double wsd(double progress, double decay, WsdShape shape) {
  const double begin = 1 - decay;
  if (progress < begin || (decay == 0 && progress < 1)) return 1;
  if (progress >= 1) return 0;
  const double position = (progress - begin) / decay;
  switch (shape) {
    case WsdShape::kLinear:
      return 1 - position;
    case WsdShape::kCosine:
      return cosine(position);
    case WsdShape::kSqrt:
      return 1 - std::sqrt(position);
  }
  return 0;
}

double inverse_sqrt(double progress, double warmup) { return std::sqrt(warmup / std::max(progress, warmup)); }

}  // namespace glidepath::forms
