// tests/forecast/budget_curve_test.cpp - final scores by budget, as people have them.
#include "glidepath/budget_curve.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& csv, const CurveMeaning& meaning = {}) {
  try {
    parse_budget_curve(csv, "runs.csv", meaning);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(BudgetCurve, RowsOfSeedsAreOnePointEach) {
  const BudgetCurve curve = parse_budget_curve(
      "\xEF\xBB\xBF"
      "seed,Other,budget,score\r\n1,x,25%,80\r\n2,x,25%,82\r\n\r\n1,x,5%,50\r\n2,x,5%,54\r\n1,x,100%,90\r\n",
      "runs.csv", {false, 10});
  EXPECT_EQ(curve.unit, "%");
  EXPECT_EQ(curve.chance, 10);
  ASSERT_EQ(curve.scores.size(), 3U);
  EXPECT_EQ(curve.scores[0].budget, 5);
  EXPECT_EQ(curve.scores[0].score, 52);
  EXPECT_DOUBLE_EQ(*curve.scores[0].stddev, std::sqrt(8.0));
  EXPECT_EQ(curve.scores[1].runs, 2);
  EXPECT_EQ(curve.scores[2].runs, 1);
  EXPECT_FALSE(curve.scores[2].stddev);

  // Pooled: sqrt((8 + 2) / 2).
  const CurveErrors errors = errors_of(curve);
  EXPECT_EQ(errors.error_at_chance, 90);
  EXPECT_DOUBLE_EQ(errors.stddev, std::sqrt(5.0));
  ASSERT_EQ(errors.points.size(), 3U);
  EXPECT_EQ(errors.points[0].error, 48);
  EXPECT_DOUBLE_EQ(errors.points[0].standard_error, std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(errors.points[2].standard_error, std::sqrt(5.0));
  EXPECT_TRUE(errors.notes.empty());
}

TEST(BudgetCurve, MeansWithTheirSpreadAndSharesForPercent) {
  const BudgetCurve curve =
      parse_budget_curve("budget,score,std,n\n1ep,0.4,0.01,4\n2ep,0.5,0.02,4\n4ep,0.55,,\n", "runs.csv", {});
  EXPECT_EQ(curve.unit, "ep");
  EXPECT_DOUBLE_EQ(curve.scores[1].score, 50);
  EXPECT_DOUBLE_EQ(*curve.scores[1].stddev, 2);
  EXPECT_EQ(curve.scores[1].runs, 4);
  EXPECT_EQ(curve.chance, 0);
  EXPECT_DOUBLE_EQ(errors_of(curve).points[1].standard_error, std::sqrt(2.5) / 2);
}

TEST(BudgetCurve, OneSeedsNoiseIsAssumed) {
  CurveErrors errors = errors_of(parse_budget_curve("budget,score\n1,40\n2,60\n4,90\n8,89\n", "a", {}));
  EXPECT_DOUBLE_EQ(errors.points[0].standard_error, 0.9);
  EXPECT_DOUBLE_EQ(errors.points[2].standard_error, 0.3);
  EXPECT_THAT(errors.notes,
              ElementsAre(StartsWith("noise assumed"), StartsWith("the largest budget did worse")));
  errors = errors_of(parse_budget_curve("budget,score\n1,4\n2,3\n4,2.5\n", "a", {true, {}}));
  EXPECT_DOUBLE_EQ(errors.points[2].error, 2.5);
  EXPECT_DOUBLE_EQ(errors.points[2].standard_error, 0.0375);
  EXPECT_FALSE(errors.error_at_chance);
  EXPECT_THROW((void)errors_of(parse_budget_curve("budget,score\n1,40\n2,60\n4,100\n", "a", {})), InputError);
}

TEST(BudgetCurve, TimesAndPercentSigns) {
  const BudgetCurve curve = parse_budget_curve("budget,score\n30m,0.9%\n1h,40%\n2h,60\n", "a", {});
  EXPECT_EQ(curve.unit, "s");
  EXPECT_EQ(curve.scores[0].budget, 1800);
  EXPECT_DOUBLE_EQ(curve.scores[0].score, 0.9);
  EXPECT_EQ(budget_text(7200, "s"), "2h");
  EXPECT_EQ(budget_text(7230.4, "s"), "2h1m");
  EXPECT_EQ(budget_text(7230, "s"), "2h30s");
  EXPECT_EQ(budget_text(0.2, "s"), "1s");
  EXPECT_EQ(budget_text(12.345, "%"), "12.3%");
  EXPECT_EQ(budget_text(1234.6, "it"), "1235it");
  EXPECT_EQ(budget_text(2e15, "flop"), "2e+15flop");
  EXPECT_EQ(budget_text(40, ""), "40");
}

TEST(BudgetCurve, WhatIsNoCurveIsToldByLine) {
  EXPECT_EQ(refusal(""), "runs.csv: has no row below its names of columns");
  EXPECT_EQ(refusal("budget,score\n"), "runs.csv: has no row below its names of columns");
  EXPECT_THAT(refusal("steps,acc\n1,2\n"),
              StartsWith("runs.csv:1: no column named budget; the first line names"));
  EXPECT_THAT(refusal("budget,score,score\n1,2,3\n"), HasSubstr("more than one column named score"));
  EXPECT_EQ(refusal("budget,score\n1,2,3\n"), "runs.csv:2: 3 fields, where the first line names 2 columns");
  EXPECT_EQ(refusal("budget,score\nsoon,2\n"),
            "runs.csv:2: budget \"soon\": must be a budget, as 5%, 10ep, 500it or 2h, or a number");
  EXPECT_EQ(refusal("budget,score\n0,2\n"), "runs.csv:2: budget \"0\": must be above 0");
  EXPECT_EQ(refusal("budget,score\n1,nan\n"), "runs.csv:2: score \"nan\": must be a number");
  EXPECT_EQ(refusal("budget,score\n1,101\n"), "runs.csv:2: score \"101\": must be in [0, 100]");
  EXPECT_EQ(refusal("budget,score\n1,-1\n", {true, {}}), "runs.csv:2: score \"-1\": must not be negative");
  EXPECT_EQ(refusal("budget,score,std\n1,5,-1\n"), "runs.csv:2: std \"-1\": must be a number, not negative");
  EXPECT_EQ(refusal("budget,score,n\n1,5,0\n"), "runs.csv:2: n \"0\": must be a whole number from 1");
  EXPECT_EQ(refusal("budget,score\n1,40\n2,0.6\n"),
            "runs.csv:3: score 0.6 is in [0, 1], and 40 in line 2 is in percent; give all in one of them, or "
            "write 0.6%");
  EXPECT_EQ(refusal("budget,score\n1ep,40\n2it,60\n"),
            "runs.csv:3: budgets in \"it\" here and in \"ep\" in line 2; give all in one unit");
  EXPECT_THAT(refusal("budget,score,seed\n1,40,7\n1,41,7\n"),
              HasSubstr("seed 7 of this budget is there twice"));
  EXPECT_THAT(refusal("budget,score,n\n1,40,3\n1,41,3\n"),
              StartsWith("runs.csv:2: a row of one of several runs"));
}

}  // namespace
}  // namespace glidepath
