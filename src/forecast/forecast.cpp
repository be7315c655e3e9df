// src/forecast/forecast.cpp - what larger budgets would reach, told from what smaller ones did.
#include "glidepath/forecast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

constexpr std::size_t kExponents = 36, kFloors = 34, kLasts = 9;
constexpr double kLeastExponent = 0.06, kMostExponent = 2.5, kMostFloor = 0.985, kMostLast = 2.4;
constexpr std::size_t kMostFitted = 5, kLeastFitted = 3;
constexpr double kApart = 1.3;           // budgets nearer to each other say the same twice
constexpr double kNothingLearnt = 0.97;  // of the error at chance
constexpr double kExponentSpread = 0.6;  // of its logarithm, around 1
constexpr double kJanoschekWeight = 0.1;
// How far errors lie from any law, as shares of them, and how likely each is.
constexpr std::array<double, 4> kMisfits = {0.004, 0.008, 0.016, 0.03}, kMisfitWeights = {0.3, 0.4, 0.2, 0.1};
constexpr double kNoise = 0.012;       // of a forecast, in the logarithm, at the last budget
constexpr double kDrift = 0.025;       // more of it for every doubling
constexpr double kNegligible = 1e-7;   // of the largest weight
constexpr double kLeastError = 1e-12;  // where a law without a floor comes to nothing
constexpr double kBin = 2e-4;          // of a forecast: what lies closer together, in the logarithm, is one

using Exponents = std::array<double, kExponents>;

const Exponents& exponents() {
  static const Exponents list = [] {
    Exponents made{};
    const double first = std::log(kLeastExponent), last = std::log(kMostExponent);
    for (std::size_t i = 0; i < kExponents; ++i)
      made[i] = std::exp(first + (last - first) * static_cast<double>(i) / (kExponents - 1));
    return made;
  }();
  return list;
}

/// k^a for every exponent.
Exponents powers_of(double ratio) {
  Exponents powers{};
  for (std::size_t i = 0; i < kExponents; ++i) powers[i] = std::pow(ratio, exponents()[i]);
  return powers;
}

double squared(double x) { return x * x; }

/// Of Student's t with 4 degrees of freedom.
double t4_below(double x) {
  const double z = x / std::sqrt(1 + x * x / 4);
  return 0.5 + 0.375 * z * (1 - z * z / 12);
}

/// Where t4_below() is `share`, in (0, 1). Source  Shaw, Journal of Computational Finance 9 (2006).
double t4_quantile(double share) {
  const double a = std::sqrt(4 * share * (1 - share));
  const double size = 2 * std::sqrt(std::max(0.0, std::cos(std::acos(a) / 3) / a - 1));
  return share < 0.5 ? -size : size;
}

void require_sound(const std::vector<BudgetPoint>& points) {
  for (const BudgetPoint& point : points) {
    const bool is_sound = point.budget > 0 && std::isfinite(point.budget) && point.error > 0 &&
                          std::isfinite(point.error) && point.standard_error >= 0 &&
                          std::isfinite(point.standard_error);
    if (!is_sound) {
      throw InputError(
          fmt::format("budget {:g} with error {:g} and standard error {:g}: must be above 0, "
                      "above 0 and not negative",
                      point.budget, point.error, point.standard_error));
    }
  }
}

/// The last few, the smallest first.
std::vector<BudgetPoint> points_to_fit(const std::vector<BudgetPoint>& sorted) {
  std::vector<BudgetPoint> taken;
  for (auto point = sorted.rbegin(); point != sorted.rend() && taken.size() < kMostFitted; ++point) {
    if (taken.empty() || taken.back().budget >= kApart * point->budget) taken.push_back(*point);
  }
  std::reverse(taken.begin(), taken.end());
  return taken;
}

/// Between two measured points, on a straight line between logarithms.
double interpolated(const std::vector<BudgetPoint>& points, double budget,
                    const std::function<double(const BudgetPoint&)>& value) {
  const auto above = std::lower_bound(points.begin(), points.end(), budget,
                                      [](const BudgetPoint& point, double b) { return point.budget < b; });
  if (above == points.begin() || above->budget == budget) return value(*above);
  const BudgetPoint &right = *above, &left = *(above - 1);
  const double share = std::log(budget / left.budget) / std::log(right.budget / left.budget);
  return (1 - share) * value(left) + share * value(right);
}

}  // namespace

Forecast::Forecast(std::vector<BudgetPoint> points, std::optional<double> error_at_chance)
    : points_(std::move(points)), chance_(error_at_chance) {
  require_sound(points_);
  std::sort(points_.begin(), points_.end(),
            [](const BudgetPoint& a, const BudgetPoint& b) { return a.budget < b.budget; });
  for (std::size_t i = 1; i < points_.size(); ++i) {
    if (points_[i].budget == points_[i - 1].budget)
      throw InputError(
          fmt::format("budget {:g} is there twice; give the mean over its seeds", points_[i].budget));
  }
  fitted_ = points_to_fit(points_);
  if (fitted_.size() < kLeastFitted) {
    throw InputError(fmt::format("{} budgets at least {} times apart; a forecast takes {}", fitted_.size(),
                                 kApart, kLeastFitted));
  }
  if (chance_ && !(*chance_ > 0 && std::isfinite(*chance_)))
    throw InputError(fmt::format("error {:g} at chance: must be above 0", *chance_));
  if (chance_ && fitted_.back().error > kNothingLearnt * *chance_) {
    throw InputError(
        fmt::format("the error at the largest budget, {:g}, is still that of chance, {:g}; "
                    "larger budgets are needed",
                    fitted_.back().error, *chance_));
  }
  fit();
}

double Forecast::log_error_of(const Component& component, double power) const {
  const double c = component.floor, last = component.last;
  const auto log_of = [](double error) { return std::log(std::max(error, kLeastError)); };
  if (component.law == Law::kPower) return log_of(c + (last - c) / power);
  const double range = *chance_ - c, h = range / (last - c);
  return component.law == Law::kHill ? log_of(c + range / (1 + (h - 1) * power))
                                     : log_of(c + range * std::exp(-std::log(h) * power));
}

void Forecast::fit() {
  const BudgetPoint& last = fitted_.back();
  const double spread = std::sqrt(squared(last.standard_error / last.error) + squared(kNoise));
  // Beta's parameters: the lower the error is, the likelier most of it stays.
  const double a = 1 + 0.5 * (chance_ ? std::max(0.0, std::log(*chance_ / last.error)) : 1), b = 0.9;
  std::vector<Exponents> powers;
  for (const BudgetPoint& point : fitted_) powers.push_back(powers_of(point.budget / last.budget));
  const std::vector<Law> laws =
      chance_ ? std::vector<Law>{Law::kHill, Law::kJanoschek} : std::vector<Law>{Law::kPower};

  // Of a point's logarithm under each misfit: 1 / variance, and what its width costs.
  std::vector<std::array<double, kMisfits.size()>> precisions, costs;
  for (const BudgetPoint& point : fitted_) {
    precisions.emplace_back();
    costs.emplace_back();
    for (std::size_t d = 0; d < kMisfits.size(); ++d) {
      precisions.back()[d] = 1 / (squared(point.standard_error / point.error) + squared(kMisfits[d]));
      costs.back()[d] = -0.5 * std::log(precisions.back()[d]);
    }
  }
  std::vector<double> logs;  // of weights, for each component
  for (const Law law : laws) {
    for (std::size_t i = 0; i < kExponents; ++i) {
      for (std::size_t j = 0; j < kFloors; ++j) {
        const double share = kMostFloor * static_cast<double>(j) / (kFloors - 1);
        const double in_range = std::clamp(share, 0.03, 0.99);
        const double prior = -0.5 * squared(std::log(exponents()[i]) / kExponentSpread) +
                             (a - 1) * std::log(in_range) + (b - 1) * std::log(1 - in_range) +
                             (law == Law::kJanoschek ? std::log(kJanoschekWeight) : 0);
        for (std::size_t k = 0; k < kLasts; ++k) {
          const double away = kMostLast * (2 * static_cast<double>(k) / (kLasts - 1) - 1);
          Component one{law, i, 0, last.error * std::exp(away * spread), 0};
          one.floor = share * one.last;
          // Where the law has the error above chance's there is nothing to fall from.
          if (chance_ && one.last >= *chance_) continue;
          std::array<double, kMisfits.size()> each{};
          for (std::size_t p = 0; p < fitted_.size(); ++p) {
            const double miss = squared(std::log(fitted_[p].error) - log_error_of(one, powers[p][i]));
            for (std::size_t d = 0; d < each.size(); ++d)
              each[d] -= 0.5 * miss * precisions[p][d] + costs[p][d];
          }
          const double most = *std::max_element(each.begin(), each.end());
          double sum = 0;
          for (std::size_t d = 0; d < each.size(); ++d) sum += kMisfitWeights[d] * std::exp(each[d] - most);
          components_.push_back(one);
          logs.push_back(prior + most + std::log(sum));
        }
      }
    }
  }
  const double most = *std::max_element(logs.begin(), logs.end());
  std::vector<Component> kept;
  double sum = 0;
  for (std::size_t i = 0; i < components_.size(); ++i) {
    components_[i].weight = std::exp(logs[i] - most);
    if (components_[i].weight < kNegligible) continue;
    sum += components_[i].weight;
    kept.push_back(components_[i]);
  }
  for (Component& one : kept) one.weight /= sum;
  components_ = std::move(kept);
}

double Forecast::Mixture::below(double log_error) const {
  double sum = 0;
  for (std::size_t i = 0; i < centres.size(); ++i)
    sum += weights[i] * t4_below((log_error - centres[i]) / widths[i]);
  return sum;
}

double Forecast::Mixture::quantile(double share) const {
  const auto [least, most] = std::minmax_element(centres.begin(), centres.end());
  const double widest = *std::max_element(widths.begin(), widths.end());
  double low = *least - 30 * widest, high = *most + 30 * widest;
  constexpr int kHalvings = 40;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (below(middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

Forecast::Mixture Forecast::mixture_at(double budget, double spread) const {
  if (!(budget >= points_.front().budget) || std::isinf(budget)) {
    throw InputError(fmt::format("budget {:g}: must be at least the smallest that was measured, {:g}", budget,
                                 points_.front().budget));
  }
  Mixture mixture;
  const auto add = [&](double centre, double weight, double away) {
    mixture.centres.push_back(centre);
    mixture.weights.push_back(weight);
    mixture.widths.push_back(std::sqrt(squared(kNoise) + squared(away) + squared(spread / std::exp(centre))));
  };
  const double last = points_.back().budget;
  if (budget <= last) {
    add(interpolated(points_, budget, [](const BudgetPoint& point) { return std::log(point.error); }), 1,
        interpolated(points_, budget,
                     [](const BudgetPoint& point) { return point.standard_error / point.error; }));
    return mixture;
  }
  const Exponents powers = powers_of(budget / last);
  std::map<std::int64_t, std::pair<double, double>> bins;  // sums of weights, and of weighted centres
  for (const Component& one : components_) {
    const double centre = log_error_of(one, powers[one.exponent]);
    auto& [weight, sum] = bins[std::llround(centre / kBin)];
    weight += one.weight;
    sum += one.weight * centre;
  }
  for (const auto& [number, bin] : bins)
    add(bin.second / bin.first, bin.first, kDrift * std::log2(budget / last));
  return mixture;
}

ForecastInterval Forecast::at(double budget, double spread) const {
  const Mixture mixture = mixture_at(budget, spread);
  return {std::exp(mixture.quantile(0.05)), std::exp(mixture.quantile(0.5)),
          std::exp(mixture.quantile(0.95))};
}

double Forecast::probability_of(double error, double budget, double spread) const {
  return error > 0 ? mixture_at(budget, spread).below(std::log(error)) : 0;
}

std::optional<double> Forecast::budget_for(double error, double probability, double most) const {
  double low = points_.front().budget;
  if (probability_of(error, low) >= probability) return low;
  // The probability need not rise all the way: intervals widen. The first rise counts.
  constexpr double kStride = 1.05;
  for (double high = low * kStride; low < most; low = high, high *= kStride) {
    high = std::min(high, most);
    if (probability_of(error, high) < probability) continue;
    constexpr int kHalvings = 20;
    for (int i = 0; i < kHalvings; ++i) {
      const double middle = std::sqrt(low * high);
      (probability_of(error, middle) < probability ? low : high) = middle;
    }
    return high;
  }
  return std::nullopt;
}

double Forecast::drawn_error(const Component& component, double slope, double budget) const {
  const double last = points_.back().budget;
  if (budget >= last) {
    const double power = std::pow(budget / last, exponents()[component.exponent]);
    return std::exp(log_error_of(component, power) + slope * kDrift * std::log2(budget / last));
  }
  return std::exp(interpolated(points_, budget, [&](const BudgetPoint& point) {
    return std::log(point.budget == last ? component.last : point.error);
  }));
}

BudgetOdds Forecast::budgets_for_share(double share, double full, double whole) const {
  const double least = points_.front().budget;
  if (!(share > 0 && share < 1)) throw InputError(fmt::format("share {:g}: must be in (0, 1)", share));
  if (!(full >= least) || std::isinf(full))
    throw InputError(
        fmt::format("full budget {:g}: must be at least the smallest that was measured, {:g}", full, least));
  if (points_.back().error >= whole)
    throw InputError(fmt::format("error {:g}: must be below {:g}, or there is no score to have a share of",
                                 points_.back().error, whole));
  // Draws spread evenly: components by their weights, slopes by multiples of the golden ratio.
  constexpr std::size_t kDraws = 2000;
  constexpr double kGolden = 0.6180339887498949;
  std::vector<double> budgets;
  std::size_t one = 0;
  double below = components_.front().weight, turn = 0.5;
  for (std::size_t i = 0; i < kDraws; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / kDraws;
    while (below < place && one + 1 < components_.size()) below += components_[++one].weight;
    turn = std::fmod(turn + kGolden, 1);
    const double slope = t4_quantile(std::clamp(turn, 1e-6, 1 - 1e-6));
    const auto score = [&](double budget) { return whole - drawn_error(components_[one], slope, budget); };
    const double wanted = share * score(full);
    double low = least, high = full;
    if (score(low) >= wanted) high = low;
    constexpr int kHalvings = 24;
    for (int halving = 0; halving < kHalvings && high > low; ++halving) {
      const double middle = std::sqrt(low * high);
      (score(middle) < wanted ? low : high) = middle;
    }
    budgets.push_back(high);
  }
  std::sort(budgets.begin(), budgets.end());
  return {budgets[kDraws / 2], budgets[kDraws * 9 / 10]};
}

}  // namespace glidepath
