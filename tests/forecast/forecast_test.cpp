// tests/forecast/forecast_test.cpp - forecasts against an independent program's, and what they must obey.
#include "glidepath/forecast.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

std::vector<double> numbers_of(const std::string& text) {
  std::istringstream words(text);
  std::vector<double> numbers;
  for (double number = 0; words >> number;) numbers.push_back(number);
  return numbers;
}

std::vector<BudgetPoint> points_of(const std::vector<double>& budgets, const std::vector<double>& errors,
                                   const std::vector<double>& standard_errors) {
  std::vector<BudgetPoint> points;
  for (std::size_t i = 0; i < budgets.size(); ++i)
    points.push_back({budgets[i], errors[i], standard_errors[i]});
  return points;
}

/// Of paper-imagenet/linear, 1 to 25 %.
std::vector<BudgetPoint> imagenet() {
  return points_of({1, 5, 10, 25}, {69.37, 42.74, 37.68, 33.66}, {0, 0, 0, 0});
}

std::string refused(const std::vector<BudgetPoint>& points, std::optional<double> chance) {
  try {
    const Forecast forecast(points, chance);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

// 195 forecasts on published curves and on studies of this project, by an independent program of the same
// method with the same grid; errors and losses of curves: fit_error, true_error.
TEST(Forecast, EqualsAnIndependentProgram) {
  std::ifstream file(GLIDEPATH_TEST_DATA "/forecast/golden.csv");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  ASSERT_EQ(line, "curve,kind,fit_budgets,fit_error,se,e0,target_budget,true_error,q05,q50,q95");
  int forecasts = 0;
  while (std::getline(file, line)) {
    SCOPED_TRACE(line);
    std::vector<std::string> fields;
    std::istringstream words(line);
    for (std::string field; std::getline(words, field, ',');) fields.push_back(field);
    ASSERT_EQ(fields.size(), 11U);
    const std::optional<double> chance =
        fields[1] == "acc" ? std::optional<double>(std::stod(fields[5])) : std::nullopt;
    const Forecast forecast(points_of(numbers_of(fields[2]), numbers_of(fields[3]), numbers_of(fields[4])),
                            chance);
    const ForecastInterval found = forecast.at(std::stod(fields[6]));
    EXPECT_NEAR(found.low, std::stod(fields[8]), 0.02);
    EXPECT_NEAR(found.median, std::stod(fields[9]), 0.02);
    EXPECT_NEAR(found.high, std::stod(fields[10]), 0.02);
    ++forecasts;
  }
  EXPECT_EQ(forecasts, 195);
}

// A curve that follows Hill's law exactly is found again.
TEST(Forecast, FindsTheLawThatACurveFollows) {
  const auto hill = [](double budget) { return 6 + (90 - 6) / (1 + 3 * std::pow(budget, 0.8)); };
  std::vector<BudgetPoint> points;
  for (const double budget : {1.0, 2.0, 4.0, 8.0, 16.0}) points.push_back({budget, hill(budget), 0});
  const Forecast forecast(points, 90);
  for (const double budget : {24.0, 32.0, 64.0}) {
    const ForecastInterval found = forecast.at(budget);
    EXPECT_NEAR(found.median / hill(budget), 1, 0.04) << budget;
    EXPECT_LT(found.low, hill(budget));
    EXPECT_GT(found.high, hill(budget));
  }
}

TEST(Forecast, WidensWithTheDistanceAndWithNoise) {
  const Forecast forecast(imagenet(), 99.9);
  const auto width = [](const ForecastInterval& i) { return std::log(i.high / i.low); };
  EXPECT_LT(width(forecast.at(30)), width(forecast.at(50)));
  EXPECT_LT(width(forecast.at(50)), width(forecast.at(100)));
  EXPECT_LT(width(forecast.at(50)), width(forecast.at(50, 2)));  // of one run, where seeds differ by 2 points
  std::vector<BudgetPoint> noisy = imagenet();
  for (BudgetPoint& point : noisy) point.standard_error = 2;
  EXPECT_LT(width(forecast.at(50)), width(Forecast(noisy, 99.9).at(50)));
}

TEST(Forecast, MeasuredBudgetsAreToldAsTheyWereMeasured) {
  const Forecast forecast(imagenet(), 99.9);
  EXPECT_NEAR(forecast.at(10).median, 37.68, 1e-6);
  EXPECT_NEAR(forecast.at(25).median, 33.66, 1e-6);
  EXPECT_NEAR(forecast.at(5 * std::sqrt(2.0)).median, std::sqrt(42.74 * 37.68), 1e-6);
  EXPECT_THROW((void)forecast.at(0.5), InputError);
}

TEST(Forecast, ProbabilitiesBudgetsAndQuantilesAreOneDistribution) {
  const Forecast forecast(imagenet(), 99.9);
  const ForecastInterval at = forecast.at(60);
  EXPECT_NEAR(forecast.probability_of(at.low, 60), 0.05, 1e-4);
  EXPECT_NEAR(forecast.probability_of(at.median, 60), 0.5, 1e-4);
  EXPECT_NEAR(forecast.probability_of(at.high, 60), 0.95, 1e-4);
  const auto budget = forecast.budget_for(at.median, 0.5, 1000);
  ASSERT_TRUE(budget);
  EXPECT_NEAR(*budget, 60, 0.5);
  EXPECT_GT(forecast.budget_for(at.median, 0.7, 1e6).value_or(1e9), *budget);
  EXPECT_FALSE(forecast.budget_for(0.01, 0.9, 1e4));  // nobody knows that
  EXPECT_EQ(forecast.budget_for(80, 0.9, 1000), 1);   // the smallest budget does it
}

// On a curve that follows Hill's law without noise the budget is that of the formula.
TEST(Forecast, BudgetsForAShareOfTheFullOne) {
  const auto hill = [](double budget) { return 6 + (90 - 6) / (1 + 3 * std::pow(budget, 0.8)); };
  std::vector<BudgetPoint> points;
  for (const double budget : {1.0, 2.0, 4.0, 8.0, 16.0}) points.push_back({budget, hill(budget), 0});
  const Forecast forecast(points, 90);
  const double wanted = 100 - 0.99 * (100 - hill(64));
  const double exact = std::pow(((90 - 6) / (wanted - 6) - 1) / 3, 1 / 0.8);
  ASSERT_GT(exact, 16);
  const BudgetOdds odds = forecast.budgets_for_share(0.99, 64);
  EXPECT_NEAR(odds.even / exact, 1, 0.15);
  EXPECT_GT(odds.likely, odds.even);
  EXPECT_LT(odds.likely, 64);
  // Within what was measured it is read from the lines between the points, whatever the laws say.
  const double at_four = (100 - hill(4)) / (100 - hill(16));
  EXPECT_NEAR(forecast.budgets_for_share(at_four, 16).even, 4, 0.05);
  EXPECT_EQ(forecast.budgets_for_share(0.1, 64).likely, 1);
  EXPECT_THROW((void)forecast.budgets_for_share(1, 64), InputError);
  EXPECT_THROW((void)forecast.budgets_for_share(0.9, 0.5), InputError);
  EXPECT_THROW((void)forecast.budgets_for_share(0.9, 64, 5), InputError);
}

// Janoschek's law without a floor comes to nothing, whose logarithm is no number.
TEST(Forecast, FarAwayOddsAreStillOdds) {
  const Forecast forecast(points_of({2, 5, 10, 20}, {88.2, 86.2, 77.6, 50.7}, {2, 2, 2, 2}), 90);
  for (const double budget : {100.0, 400.0, 2000.0, 20000.0}) {
    const double odds = forecast.probability_of(10, budget);
    EXPECT_GT(odds, 0) << budget;
    EXPECT_LT(odds, 0.9) << budget;
  }
}

TEST(Forecast, FitsTheLastFiveThatLieApart) {
  std::vector<BudgetPoint> points;
  for (const double budget : {16.0, 1.0, 2.0, 4.0, 8.0, 10.0, 32.0, 33.0})
    points.push_back({budget, 60 / (1 + std::log2(budget)) + 5, 0});
  std::vector<double> fitted;
  const Forecast forecast(points, 90);
  for (const BudgetPoint& point : forecast.fitted()) fitted.push_back(point.budget);
  EXPECT_EQ(fitted, (std::vector<double>{2, 4, 10, 16, 33}));
  EXPECT_EQ(forecast.points().size(), 8U);
}

TEST(Forecast, WhatTellsNothingIsRefused) {
  const std::vector<BudgetPoint> good = imagenet();
  EXPECT_THAT(refused({good[0], good[1]}, 99.9),
              HasSubstr("2 budgets at least 1.3 times apart; a forecast takes 3"));
  EXPECT_THAT(refused({good[0], good[1], {5.5, 41, 0}}, 99.9), HasSubstr("a forecast takes 3"));
  EXPECT_THAT(refused({good[0], good[1], good[1], good[2]}, 99.9), HasSubstr("budget 5 is there twice"));
  EXPECT_THAT(refused(good, 34), HasSubstr("is still that of chance"));
  EXPECT_THAT(refused(good, -1), HasSubstr("must be above 0"));
  for (const BudgetPoint bad : {BudgetPoint{0, 5, 0}, BudgetPoint{50, 0, 0}, BudgetPoint{50, NAN, 0},
                                BudgetPoint{50, 5, -1}, BudgetPoint{INFINITY, 5, 0}}) {
    std::vector<BudgetPoint> points = good;
    points.push_back(bad);
    EXPECT_THAT(refused(points, 99.9), HasSubstr("must be above 0, above 0 and not negative"));
  }
}

}  // namespace
}  // namespace glidepath
