// src/core/schedule_forms.h - the formulas of the schedules, as papers print them.
#pragma once
#include <functional>
#include <vector>

// Every function: progress in [0, 1] -> factor. Callers have checked the arguments.
namespace glidepath::forms {

/// x, or the whole number that it misses by rounding errors alone: a drop that falls on an update falls on
/// that one, not on the next.
double snapped(double x);

double poly(double progress, double power);  // (1 - p)^power
double cosine(double progress);              // (1 + cos(pi p)) / 2
double step(double progress, const std::vector<double>& milestones, double gamma);
double exponential(double progress, double gamma, double full_epochs);
double htd(double progress, double lower, double upper);
double sgdr_epochs(double epochs, double first_cycle, double multiplier);
double sgdr_cycles(double progress, int cycles);
double rex(double progress);
double uba(double progress, double phi);
double onecycle(double progress, double peak, double div, double final_div, bool cosine_shape);
enum class WsdShape { kLinear, kCosine, kSqrt };
double wsd(double progress, double decay, WsdShape shape);
double inverse_sqrt(double progress, double warmup);

}  // namespace glidepath::forms
