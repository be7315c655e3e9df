// tests/study/next_runs_test.cpp - which runs decide a ranking soonest.
#include "study/results/next_runs.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "study/models_support.h"

namespace glidepath {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RankOptions by_model() {
  return {"model", "", [](const std::string&) { return 10.0; }};
}

std::optional<NextRuns> next_of(const StudyResults& results, double until = 0.95) {
  const RankOptions options = by_model();
  return next_runs(results, rank_study(results, options), options, until);
}

std::vector<std::string> shown(const NextRuns& next) {
  std::vector<std::string> runs;
  for (const TrainConfig& run : next.runs)
    runs.push_back(run.model + " " + run.budget + " " + std::to_string(run.seed));
  return runs;
}

TEST(NextRuns, NothingOnceTheBestIsTold) {
  const StudyResults results = study_of({"100%"}, {{"mlp", {{70, 71, 72}}}, {"resnet8", {{80, 81.1, 82}}}});
  const Lead lead = lead_of(rank_study(results, by_model()).front(), 0.95);
  EXPECT_EQ(lead.row, 0U);
  EXPECT_GT(lead.odds, 0.99);
  EXPECT_THAT(lead.open, IsEmpty());
  EXPECT_FALSE(next_of(results).has_value());
}

TEST(NextRuns, ASecondSeedComesFirst) {
  const StudyResults results = study_of({"50%"}, {{"mlp", {{20}}}, {"resnet8", {{80}}}});
  EXPECT_THAT(lead_of(rank_study(results, by_model()).front(), 0.95).open, ElementsAre(1U));
  const auto next = next_of(results);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(shown(*next), ElementsAre("resnet8 50% 2", "mlp 50% 2"));
  EXPECT_DOUBLE_EQ(next->seconds, 100);
  EXPECT_EQ(next->what, "seed 2 at 50% of resnet8, mlp");
}

// Differences of 1, 2 and 3 points: with a fourth seed t = 4 of 3 degrees of freedom.
TEST(NextRuns, AtTheTargetMoreSeedsOfTheOpenRowsAlone) {
  const StudyResults results = study_of(
      {"100%"}, {{"mlp", {{70, 71, 72}}}, {"resnet8", {{71, 73, 75}}}, {"convnet", {{10, 11, 12.1}}}});
  const auto next = next_of(results, 0.97);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(shown(*next), ElementsAre("resnet8 100% 4", "mlp 100% 4"));
  // P(T_3 <= 4) in closed form.
  const double x = 4 / std::sqrt(3.0);
  const double p = 0.5 + (x / (1 + x * x) + std::atan(x)) / std::acos(-1.0);
  EXPECT_NEAR(next->odds, p, 1e-9);
}

TEST(NextRuns, ASeedThatOneRowLacksIsMadeGoodFirst) {
  const StudyResults results =
      study_of({"100%"}, {{"mlp", {{70, 71.5, 72, 72}}}, {"resnet8", {{71, 71, 75}}}});
  const auto next = next_of(results);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(shown(*next), ElementsAre("resnet8 100% 4"));
}

// Where forecasts are wide, seeds at a small budget narrow them little.
TEST(NextRuns, BelowTheTargetALargerBudgetOfAllSharedSeeds) {
  const StudyResults results = study_of({"2%", "5%", "10%"}, {{"mlp", {{30, 31}, {40, 41}, {47, 48.2}}},
                                                              {"resnet8", {{29, 30}, {40, 41}, {49, 50}}}});
  const auto next = next_of(results);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(shown(*next), ElementsAre("resnet8 20% 1", "mlp 20% 1", "resnet8 20% 2", "mlp 20% 2"));
  EXPECT_NEAR(next->seconds, 80, 1e-6);
  EXPECT_GT(next->odds, lead_of(rank_study(results, by_model()).front(), 0.95).odds);
}

TEST(NextRuns, BudgetsOfTheContendersAloneCount) {
  StudyResults results = study_of(
      {"10%", "100%"},
      {{"mlp", {{70, 71}, {80, 81}}}, {"resnet8", {{71, 72.5}, {80.5, 81.7}}}, {"convnet", {{20, 21}}}});
  const Ranking ranking = rank_study(results, by_model()).front();
  EXPECT_EQ(ranking.budget, "10%");
  // Of the two pairs at the target, 0.5 and 0.7 apart: Student's t of one degree, in closed form.
  const double difference = 0.6, deviation = 0.2 / std::sqrt(2.0);
  const double t = difference / (deviation / std::sqrt(2.0));
  EXPECT_NEAR(ranking.beats[0][1], 0.5 + std::atan(t) / std::acos(-1.0), 1e-9);
  const auto next = next_of(results);
  ASSERT_TRUE(next.has_value());
  EXPECT_THAT(next->what, HasSubstr("seed 3 at 100% of resnet8, mlp"));
}

TEST(NextRuns, WhatFailedIsNotTriedAgain) {
  StudyResults results = study_of({"100%"}, {{"mlp", {{70, 71, 72}}}, {"resnet8", {{71, 73, 74}}}});
  results.runs.back().status = RunStatus::kFailed;
  try {
    next_of(results);
    FAIL() << "nothing was thrown";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("failed, and without it nothing more is decided"));
  }
}

TEST(NextRuns, OfRowsThatDivergedNothingIsRun) {
  StudyResults results = study_of({"100%"}, {{"mlp", {{70}}}, {"resnet8", {{71}}}});
  for (RunRecord& run : results.runs) {
    run.status = run.config.model == "mlp" ? RunStatus::kDiverged : RunStatus::kDone;
  }
  EXPECT_FALSE(next_of(results).has_value());
}

// docs/forecast.md says how often what is told is right, looking after every seed.
TEST(NextRuns, WhatIsToldAfterLookingAtEverySeedIsRight) {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 1);
  int told = 0, right = 0;
  constexpr int kTrials = 100, kSeeds = 10;
  for (int trial = 0; trial < kTrials; ++trial) {
    Accuracies accuracies = {{"mlp", {{}}}, {"resnet8", {{}}}};
    for (int seed = 1; seed <= kSeeds; ++seed) {
      accuracies["mlp"][0].push_back(70 + noise(random));
      accuracies["resnet8"][0].push_back(71 + noise(random));
      if (seed < 2) continue;
      const Ranking ranking = rank_study(study_of({"100%"}, accuracies), by_model()).front();
      const Lead lead = lead_of(ranking, 0.95);
      if (!lead.open.empty()) continue;
      ++told;
      right += ranking.rows[lead.row].name == "resnet8" ? 1 : 0;
      break;
    }
  }
  EXPECT_GT(told, kTrials * 7 / 10);
  EXPECT_GT(right, told * 95 / 100);
}

}  // namespace
}  // namespace glidepath
