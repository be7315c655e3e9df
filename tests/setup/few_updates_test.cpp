// tests/setup/few_updates_test.cpp - what is advised where a budget buys few updates.
#include "setup/few_updates.h"

#include <gtest/gtest.h>

namespace glidepath {
namespace {

std::string advice(const std::string& budget, std::int64_t updates, std::int64_t batch = 128,
                   double width = 1) {
  TrainConfig config;
  config.budget = budget;
  config.batch_size = batch;
  config.width = width;
  return few_updates_advice(config, updates);
}

TEST(FewUpdates, SmallerBatchesMakeMore) {
  EXPECT_EQ(
      advice("5%", 19),
      "the budget 5% buys 19 updates, which is too few to learn much: --batch-size 16 would make about 152");
  EXPECT_EQ(
      advice("1ep", 75, 100),
      "the budget 1ep buys 75 updates, which is too few to learn much: --batch-size 32 would make about 234");
}

// A network of half the width takes a quarter of the time.
TEST(FewUpdates, NarrowerNetworksMakeMoreInAClocksTime) {
  EXPECT_EQ(
      advice("30s", 19),
      "the budget 30s buys 19 updates, which is too few to learn much: --batch-size 16 would make about 152, "
      "--width 0.25 would make about 304");
  EXPECT_EQ(
      advice("1h", 60, 8, 0.5),
      "the budget 1h buys 60 updates, which is too few to learn much: --width 0.25 would make about 240");
}

TEST(FewUpdates, WhereNothingHelpsALargerBudgetIsAdvised) {
  EXPECT_EQ(advice("1%", 1, 32),
            "the budget 1% buys 1 update, which is too few to learn much: give a larger one");
  EXPECT_EQ(advice("2s", 2, 32, 0.25),
            "the budget 2s buys 2 updates, which is too few to learn much: give a larger one");
}

TEST(FewUpdates, EnoughAreLeftAlone) {
  EXPECT_EQ(advice("5%", 100), "");
  EXPECT_EQ(advice("90s", 5000), "");
}

TEST(FewUpdates, WhoCountsUpdatesKnows) {
  EXPECT_EQ(advice("19it", 19), "");
  TrainConfig config;
  config.full = "30it";
  config.budget = "50%";
  EXPECT_EQ(few_updates_advice(config, 15), "");
}

TEST(FewUpdates, ADeadlineIsAClocks) {
  TrainConfig config;
  config.deadline = "2026-12-01T06:00";
  EXPECT_NE(few_updates_advice(config, 19).find("--width 0.25"), std::string::npos);
}

}  // namespace
}  // namespace glidepath
