// src/cli/curve_plan.h - a curve and what it foretells, as text and as JSON.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "glidepath/budget_curve.h"
#include "study/results/budget_curves.h"

namespace glidepath::cli {

/// What is asked of every curve: the command's flags as they were written.
struct PlanQuestions {
  std::vector<std::string> at;         ///< budgets to tell of; empty: some
  std::string target, relative, full;  ///< may be empty
  std::string price;                   ///< "2.10/h"; may be empty
};

/// A curve and where it comes from.
struct PlannedCurve {
  std::string title;
  BudgetCurve curve;
  std::optional<double> full;  ///< in the curve's unit
  CostLaw costs;               ///< all 0 where nothing is known
  std::vector<std::string> warnings, notes;
};

/// Percent that guessing gets right of a data set by name; none where it is not known.
std::optional<double> chance_of(const std::string& data);

class CurvePlan {
 public:
  /// Throws InputError where the curve allows no forecast, and, beginning with the flag, for questions that
  /// it has no answer to.
  CurvePlan(PlannedCurve planned, const PlanQuestions& questions);

  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  struct Target {
    double score = 0;
    std::optional<double> even, likely;  ///< budgets at which it is reached with these odds
  };
  struct Relative {
    double percent = 0;
    BudgetOdds odds;
  };

  double largest() const { return forecast_.points().back().budget; }
  double score(double error) const { return planned_.curve.score_of(error); }
  std::string shown(double score) const;
  std::string told(double budget) const;
  std::string odds_text(const std::optional<double>& budget, const char* how) const;
  nlohmann::ordered_json costs_json(double budget) const;
  double amount(const char* flag, const std::string& text) const;
  std::vector<double> budgets(const std::vector<std::string>& at) const;
  void ask_target(const std::string& text);
  void ask_relative(const std::string& text);
  void ask_price(const std::string& text);

  PlannedCurve planned_;
  CurveErrors errors_;
  Forecast forecast_;
  std::vector<std::pair<double, ForecastInterval>> rows_;
  std::optional<Target> target_;
  std::optional<Relative> relative_;
  double price_of_second_ = 0;  ///< 0: not asked for
};

}  // namespace glidepath::cli
