// include/glidepath/budget_curve.h - final scores by budget, as people have them, and what a forecast takes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "glidepath/budget.h"
#include "glidepath/forecast.h"

namespace glidepath {

/// What runs of one budget reached: the mean of `runs` of them.
struct CurveScore {
  double budget = 0;             ///< > 0, in the curve's unit
  double score = 0;              ///< percent that is right, or the loss
  std::optional<double> stddev;  ///< over the runs, in the score's unit; none for one run
  std::int64_t runs = 1;
};

struct BudgetCurve {
  std::string unit;                ///< of the budgets: "%", "ep", "it", "s", "flop", or "" for plain numbers
  bool is_loss = false;            ///< lower is better, and nobody knows what chance has
  std::optional<double> chance;    ///< percent that guessing gets right; of accuracies
  std::vector<CurveScore> scores;  ///< the smallest budget first

  /// What forecasts are made of: the percentage points that are wrong, or the loss as it is; and back.
  double error_of(double score) const { return is_loss ? score : 100 - score; }
  double score_of(double error) const { return is_loss ? error : 100 - error; }
};

/// How a file's numbers are meant.
struct CurveMeaning {
  bool is_loss = false;
  std::optional<double> chance;  ///< percent; none: 0 of accuracies
};

/// Reads CSV whose first line names the columns: `budget` and `score`, and where they are there `std`, `n`
/// and `seed`; others are left alone. A budget is as everywhere (5%, 10ep, 500it, 2h) or a plain number, all
/// in one unit. Accuracies are in percent, or all of them in [0, 1]; "0.9%" is percent in any case. Rows of
/// one budget are runs of several seeds, or one row has their mean with std and n. Throws InputError that
/// begins with `name`, and says the line.
BudgetCurve parse_budget_curve(const std::string& csv, const std::string& name, const CurveMeaning& meaning);

/// The errors of a curve with their noise: the standard deviation over seeds, pooled over all budgets, by the
/// root of the number of runs; where no budget has two runs, 1.5 % of the error and at least 0.3 points (of a
/// loss, 1.5 %), which `notes` say. Throws InputError where no error is left.
struct CurveErrors {
  std::vector<BudgetPoint> points;
  std::optional<double> error_at_chance;
  double stddev = 0;  ///< of single runs; 0: not known
  std::vector<std::string> notes;
};
CurveErrors errors_of(const BudgetCurve& curve);

/// How a curve calls the unit of these budgets.
std::string unit_of(const Budget& budget);

/// "25%", "1h30m", "40": an amount of the curve's unit; times above an hour that are no whole seconds are
/// rounded to minutes.
std::string budget_text(double amount, const std::string& unit);

}  // namespace glidepath
