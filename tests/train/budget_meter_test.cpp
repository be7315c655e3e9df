// tests/train/budget_meter_test.cpp - budgets counted in updates and by a clock of the test's own.
#include "train/budget_meter.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

BudgetContext cifar_context() {
  BudgetContext context;
  context.steps_per_epoch = 391;
  context.full = {BudgetUnit::kEpochs, 200};
  return context;
}

TEST(BudgetMeter, MakesExactlyTheUpdatesThatTheBudgetBuys) {
  struct Case {
    const char* budget;
    std::int64_t updates;
  };
  for (const Case& c : {Case{"1%", 782}, {"0.1ep", 39}, {"1it", 1}, {"2.5ep", 978}, {"100%", 78200}}) {
    SCOPED_TRACE(c.budget);
    BudgetMeter meter(parse_budget(c.budget), cifar_context(), 0, 0);
    std::int64_t made = 0;
    double last = -1;
    while (!meter.finished()) {
      ASSERT_GT(meter.progress(), last);
      last = meter.progress();
      meter.update_done(0.01);
      ++made;
    }
    EXPECT_EQ(made, c.updates);
    EXPECT_EQ(meter.progress(), 1);
    EXPECT_DOUBLE_EQ(last, static_cast<double>(c.updates - 1) / static_cast<double>(c.updates));
  }
}

TEST(BudgetMeter, ResumedRunHasWhatIsLeft) {
  BudgetMeter meter(parse_budget("100it"), cifar_context(), 60, 12.0);
  std::int64_t made = 0;
  for (; !meter.finished(); ++made) meter.update_done(0.1);
  EXPECT_EQ(made, 40);
}

// A machine whose speed changes three-fold on the way, with jitter: the clock decides, not an estimate made
// early.
TEST(BudgetMeter, ClockBudgetLandsOnTimeWhateverTheSpeedDoes) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> jitter(0.8, 1.2);
  BudgetMeter meter(parse_budget("60s"), cifar_context(), 0, 0);
  meter.set_kept_back(2);
  double clock = 0, last_progress = 0, largest_jump = 0;
  while (!meter.finished()) {
    const double progress = meter.progress();
    largest_jump = std::max(largest_jump, progress - last_progress);
    ASSERT_GE(progress, last_progress);
    last_progress = progress;
    const double slow = clock > 20 && clock < 40 ? 3 : 1;
    const double took = 0.05 * slow * jitter(random);
    clock += took;
    meter.update_done(took);
    meter.tick(clock);
  }
  EXPECT_LE(clock, 58.0 + 0.06);
  EXPECT_GE(clock, 58.0 - 0.2);
  EXPECT_GT(last_progress, 0.99);
  EXPECT_LT(largest_jump, 0.005);
}

TEST(BudgetMeter, ClockBudgetShorterThanOneUpdateStillMakesOne) {
  BudgetMeter meter(parse_budget("1s"), cifar_context(), 0, 0);
  meter.tick(0.9);
  EXPECT_FALSE(meter.finished());
  meter.update_done(5);
  meter.tick(5.9);
  EXPECT_TRUE(meter.finished());
  EXPECT_EQ(meter.progress(), 1);
}

TEST(BudgetMeter, CostlyEvaluationLeavesHalfTheTimeForTraining) {
  BudgetMeter meter(parse_budget("10s"), cifar_context(), 0, 0);
  meter.set_kept_back(100);
  meter.tick(2.5);
  EXPECT_DOUBLE_EQ(meter.progress(), 0.5);
}

}  // namespace
}  // namespace glidepath
