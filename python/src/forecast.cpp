// python/src/forecast.cpp - what larger budgets would reach, for Python.
#include "glidepath/forecast.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "glidepath/budget_curve.h"
#include "glidepath/error.h"
#include "module.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace glidepath::python {
namespace {

using Values = std::vector<double>;
using Interval = std::tuple<double, double, double>;

Forecast make_forecast(const Values& budgets, const Values& errors, const Values& standard_errors,
                       std::optional<double> error_at_chance) {
  if (budgets.size() != errors.size() || budgets.size() != standard_errors.size())
    throw InputError("budgets, errors and standard_errors must be of one length");
  std::vector<BudgetPoint> points;
  for (std::size_t i = 0; i < budgets.size(); ++i)
    points.push_back({budgets[i], errors[i], standard_errors[i]});
  return Forecast(std::move(points), error_at_chance);
}

}  // namespace

void bind_forecast(nb::module_& module) {
  nb::class_<Forecast>(
      module, "Forecast",
      "The posterior over the laws that a budget curve may follow: how runs end that were each annealed to "
      "their "
      "budget.\n\n"
      "budgets: above 0, in one unit, at least three of them 1.3 times apart. errors: percentage points that "
      "are "
      "wrong, or losses, above 0. standard_errors: of the errors as means over seeds, 0 and more. "
      "error_at_chance: 90 "
      "of ten classes alike; None for losses. Raises InputError for what is out of range, and for a last "
      "error "
      "above 0.97 of chance's.\n\n"
      ">>> import glidepath\n"
      ">>> curve = glidepath.Forecast([1, 5, 10, 25], [69.37, 42.74, 37.68, 33.66], [0, 0, 0, 0], 99.9)\n"
      ">>> low, median, high = curve.at(100)\n"
      ">>> f'{low:.1f} {median:.1f} {high:.1f}'\n"
      "'28.4 31.8 35.6'")
      .def(nb::new_(&make_forecast), "budgets"_a, "errors"_a, "standard_errors"_a,
           "error_at_chance"_a = nb::none())
      .def(
          "at",
          [](const Forecast& forecast, double budget, double spread) {
            const ForecastInterval found = forecast.at(budget, spread);
            return Interval(found.low, found.median, found.high);
          },
          "budget"_a, "spread"_a = 0.0,
          "5, 50 and 95 % quantiles of the error at a budget; spread: the standard deviation of single runs, "
          "for one "
          "run in place of the mean of many.")
      .def("probability_of", &Forecast::probability_of, "error"_a, "budget"_a, "spread"_a = 0.0,
           "That the error is at most this.")
      .def("budget_for", &Forecast::budget_for, "error"_a, "probability"_a, "most"_a,
           "The smallest budget up to `most` at which that probability is reached; None where it is not.")
      .def(
          "budgets_for_share",
          [](const Forecast& forecast, double share, double full, double whole) {
            const BudgetOdds odds = forecast.budgets_for_share(share, full, whole);
            return std::tuple<double, double>(odds.even, odds.likely);
          },
          "share"_a, "full"_a, "whole"_a = 100.0,
          "The budgets at which this share of what a run of `full` reaches is reached, with even odds and "
          "with 90 % "
          "confidence; scores are `whole` - error.");
  module.def(
      "curve_errors",
      [](const Values& budgets, const Values& scores, const std::vector<std::optional<double>>& stddevs,
         const std::vector<std::int64_t>& runs, bool is_loss, std::optional<double> chance) {
        BudgetCurve curve;
        curve.is_loss = is_loss;
        curve.chance = chance;
        for (std::size_t i = 0; i < budgets.size(); ++i)
          curve.scores.push_back({budgets[i], scores.at(i), stddevs.at(i), runs.at(i)});
        const CurveErrors made = errors_of(curve);
        Values errors, standard_errors;
        for (const BudgetPoint& point : made.points) {
          errors.push_back(point.error);
          standard_errors.push_back(point.standard_error);
        }
        return std::tuple<Values, Values, std::optional<double>, std::vector<std::string>>(
            errors, standard_errors, made.error_at_chance, made.notes);
      },
      "budgets"_a, "scores"_a, "stddevs"_a, "runs"_a, "is_loss"_a, "chance"_a = nb::none(),
      "Errors, their standard errors, the error at chance and notes: the arithmetic under "
      "glidepath.forecast.");
}

}  // namespace glidepath::python
