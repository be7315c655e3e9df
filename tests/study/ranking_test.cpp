// tests/study/ranking_test.cpp - orders of a study's rows, against closed forms.
#include "study/results/ranking.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "study/models_support.h"

namespace glidepath {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

Ranking only_ranking(const StudyResults& results, const std::string& at = {}) {
  const std::vector<Ranking> rankings =
      rank_study(results, {"model", at, [](const std::string&) { return 10.0; }});
  EXPECT_EQ(rankings.size(), 1U);
  return rankings.front();
}

std::string refusal(const StudyResults& results, const RankOptions& options) {
  try {
    rank_study(results, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was refused";
}

// Errors in place of accuracies: the same order, and as sure of it.
TEST(Ranking, AScoreOfWhichLessIsBetterIsOrderedSo) {
  StudyResults results = study_of({"5%", "10%", "20%", "40%"},
                                  {{"mlp", {{30, 31, 30}, {40, 41, 40}, {48, 49, 48}, {54, 55, 54}}},
                                   {"resnet8", {{40, 41, 42}, {52, 53, 53}, {62, 63, 62}, {69, 70, 70}}}});
  const Ranking by_accuracy = only_ranking(results);
  for (RunRecord& run : results.runs) run.scores["test_rmse"] = 100 - 100 * run.test_accuracy;
  const Ranking by_error = only_ranking(results);
  EXPECT_EQ(by_error.score, "test root mean squared error");
  ASSERT_EQ(by_error.rows.size(), 2U);
  EXPECT_EQ(by_error.rows[0].name, "resnet8");
  EXPECT_NEAR(by_error.rows[0].cell.mean, 100 - by_accuracy.rows[0].cell.mean, 1e-9);
  EXPECT_NEAR(by_error.pairs[0].difference.mean, by_accuracy.pairs[0].difference.mean, 1e-9);
  EXPECT_NEAR(by_error.pairs[0].p_value, by_accuracy.pairs[0].p_value, 1e-9);
  EXPECT_TRUE(by_error.pairs[0].is_told);
  EXPECT_GT(by_error.beats[0][1], 0.9);
  RankOptions options;
  options.chance = [](const std::string&) { return 10.0; };  // of accuracies
  EXPECT_EQ(rank_study(results, options)[0].beats, by_error.beats);
}

TEST(Ranking, GroupsOverlapWhereOnlyTheEndsAreToldApart) {
  const Ranking found = only_ranking(study_of(
      {"100%"},
      {{"mlp", {{70, 71, 72}}}, {"resnet8", {{72, 75.01, 71.99}}}, {"resnet20", {{74, 75.01, 75.99}}}}));
  ASSERT_EQ(found.rows.size(), 3U);
  EXPECT_EQ(found.rows[0].name, "resnet20");
  EXPECT_EQ(found.rows[1].name, "resnet8");
  EXPECT_EQ(found.rows[2].name, "mlp");
  EXPECT_EQ(found.rows[0].groups, "a");
  EXPECT_EQ(found.rows[1].groups, "ab");
  EXPECT_EQ(found.rows[2].groups, "b");
  EXPECT_EQ(found.rows[0].best, 1U);
  EXPECT_EQ(found.rows[0].worst, 2U);
  EXPECT_EQ(found.rows[1].worst, 3U);
  EXPECT_EQ(found.rows[2].best, 2U);
  EXPECT_EQ(found.open_pairs, 2U);
  EXPECT_EQ(found.budget, "100%");
  EXPECT_EQ(found.target, "100%");
  EXPECT_EQ(found.at_target.runs, 0U);
}

// Differences of 1, 2 and 3 points: t = 2 sqrt(3) of 2 degrees of freedom, whose distribution has a closed
// form.
TEST(Ranking, ProbabilitiesAreThoseOfThePairedDifferences) {
  const Ranking found =
      only_ranking(study_of({"100%"}, {{"mlp", {{70, 71, 72}}}, {"resnet8", {{71, 73, 75}}}}));
  const double t = 2 * std::sqrt(3.0), p = 1 - t / std::sqrt(2 + t * t);
  ASSERT_EQ(found.pairs.size(), 1U);
  EXPECT_NEAR(found.pairs[0].p_value, p, 1e-9);
  EXPECT_FALSE(found.pairs[0].is_told);
  EXPECT_NEAR(found.beats[0][1], 1 - p / 2, 1e-9);
  EXPECT_NEAR(found.beats[1][0], p / 2, 1e-9);
  EXPECT_EQ(found.beats[0][0], 0.5);
  // A fourth seed: t = 4 of 3 degrees of freedom, p = 0.028.
  EXPECT_EQ(found.decided_by_seed, 1U);
  EXPECT_EQ(found.one_seed.runs, 2U);
  EXPECT_DOUBLE_EQ(found.one_seed.seconds, 200);
  EXPECT_EQ(found.seeds_for_first, pairs_needed(2, 1, 0.05, 0.8));
  EXPECT_EQ(found.for_first.runs, 2 * (found.seeds_for_first - 3));
}

TEST(Ranking, ForetellsLargerBudgetsAndTheirCost) {
  const StudyResults results = study_of(
      {"2%", "5%", "10%", "25%"}, {{"mlp", {{30, 31, 32}, {40, 41, 42}, {45, 46, 47}, {50, 51, 52}}},
                                   {"resnet8", {{25, 26, 27}, {40, 42, 41}, {48, 49, 50}, {54, 55, 57}}}});
  const Ranking found = only_ranking(results);
  EXPECT_EQ(found.budget, "25%");
  EXPECT_EQ(found.target, "100%");
  EXPECT_EQ(found.rows[0].name, "resnet8");
  EXPECT_GT(found.beats[0][1], 0.8);
  EXPECT_LT(found.beats[0][1], 1);
  EXPECT_DOUBLE_EQ(found.beats[0][1] + found.beats[1][0], 1);
  EXPECT_EQ(found.at_target.runs, 6U);
  EXPECT_NEAR(found.at_target.seconds, 600, 1e-6);
  EXPECT_THAT(found.warnings, ElementsAre());
  EXPECT_EQ(only_ranking(results, "25%").at_target.runs, 0U);
}

TEST(Ranking, OneSeedTellsNothingApart) {
  const Ranking found = only_ranking(study_of({"100%"}, {{"mlp", {{70}}}, {"resnet8", {{71}}}}));
  EXPECT_EQ(found.rows[0].groups, "a");
  EXPECT_EQ(found.rows[1].groups, "a");
  // 1.5 % of the errors: 0.45 and 0.435 points.
  EXPECT_NEAR(found.beats[0][1], 0.5 * std::erfc(-1 / std::hypot(0.45, 0.435) / std::sqrt(2)), 1e-12);
  EXPECT_THAT(found.warnings, Contains(HasSubstr("one seed")));
  EXPECT_EQ(found.seeds_for_first, 0U);
}

TEST(Ranking, ComparesWhereAllHaveRuns) {
  StudyResults results = study_of(
      {"10%", "50%", "100%"}, {{"mlp", {{60, 61}, {65, 66}, {70, 71}}}, {"resnet8", {{61, 62}, {68, 69}}}});
  const Ranking found = only_ranking(results);
  EXPECT_EQ(found.budget, "50%");
  EXPECT_THAT(found.warnings, Contains("100% is left out: 1 of 2 rows have runs there"));
  // A diverged seed is behind any mean.
  for (RunRecord& run : results.runs) {
    if (run.config.model == "resnet8" && run.config.budget == "50%" && run.config.seed == 2)
      run.status = RunStatus::kDiverged;
  }
  const Ranking diverged = only_ranking(results);
  EXPECT_EQ(diverged.rows[0].name, "mlp");
  EXPECT_TRUE(diverged.pairs[0].is_told);
  EXPECT_EQ(diverged.beats[0][1], 1);
  EXPECT_THAT(diverged.warnings, Contains(HasSubstr("1 runs diverged")));
}

TEST(Ranking, WhatSaysNothingIsRefused) {
  const StudyResults small =
      study_of({"1%", "2%", "4%"}, {{"mlp", {{20}, {30}, {40}}}, {"resnet8", {{21}, {31}, {41}}}});
  EXPECT_THAT(refusal(small, {"model", "", {}}),
              HasSubstr("the largest budget that all rows have, 4%, is below 5 % of 100%"));
  EXPECT_EQ(refusal(small, {"model", "50%", {}}), "nothing was refused");
  EXPECT_THAT(refusal(small, {"model", "2%", {}}),
              HasSubstr("--at \"2%\": must be a budget in \"%\" from 4% on"));
  EXPECT_THAT(refusal(small, {"model", "10ep", {}}), HasSubstr("must be a budget in \"%\""));
  EXPECT_THAT(refusal(small, {"budget", "", {}}),
              HasSubstr("--rows \"budget\": is what rows are compared over"));
  EXPECT_THAT(refusal(small, {"width", "", {}}), HasSubstr("not an axis of this study"));
  StudyResults none = small;
  for (RunRecord& run : none.runs) run.status = RunStatus::kPending;
  EXPECT_EQ(refusal(none, {"model", "", {}}), "no run has ended yet");
}

}  // namespace
}  // namespace glidepath
