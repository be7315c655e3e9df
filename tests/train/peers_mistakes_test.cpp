// tests/train/peers_mistakes_test.cpp - what other programs do wrong with budgets by the clock and on resume,
// and that a run of ours cannot. docs/schedules.md names these tests.
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/error.h"
#include "glidepath/schedule.h"
#include "train/budget_meter.h"
#include "train/run_directory.h"

namespace fs = std::filesystem;

namespace glidepath {
namespace {

BudgetContext context() { return {5, {BudgetUnit::kEpochs, 200}, 0}; }

// Progress as elapsed / max(1 h, budget) ends a run of ten minutes at a sixth of its schedule; with a warm-up
// of a quarter it never reaches base_lr.
TEST(PeersMistakes, AClockBudgetIsDividedByAtLeastAnHour) {
  const Schedule schedule = parse_schedule("linear(warmup=25%)");
  for (const char* text : {"10s", "1m", "10m", "1h", "36h"}) {
    SCOPED_TRACE(text);
    const Budget budget = parse_budget(text);
    BudgetMeter meter(budget, context(), 0, 0);
    EXPECT_EQ(meter.progress(), 0);
    meter.tick(budget.amount / 4);
    EXPECT_EQ(schedule(meter.progress()), 1);
    meter.tick(budget.amount / 2);
    EXPECT_DOUBLE_EQ(meter.progress(), 0.5);
    EXPECT_FALSE(meter.finished());
    meter.tick(budget.amount);
    EXPECT_EQ(schedule(meter.progress()), 0);
    meter.update_done(0.01);
    EXPECT_TRUE(meter.finished());
  }
}

// lightning 8210: a time limit of days ended at a silent default of 1,000 epochs.
TEST(PeersMistakes, ATimeLimitEndsAtASilentDefaultOf1000Epochs) {
  BudgetMeter meter(parse_budget("10m"), context(), 0, 0);
  double clock = 0;
  std::int64_t updates = 0;
  for (; !meter.finished(); ++updates) {
    meter.update_done(0.05);
    meter.tick(clock += 0.05);
  }
  EXPECT_GT(updates / context().steps_per_epoch, 2000);
  EXPECT_NEAR(clock, 600, 0.11);
}

// transformers 4383: a longer budget given on resume made the rate jump up. A run keeps its budget.
TEST(PeersMistakes, ALongerBudgetOnResumeMakesTheRateJumpUp) {
  std::string name = (fs::temp_directory_path() / "glidepath-mistakes-XXXXXX").string();
  const fs::path folder = mkdtemp(name.data());
  TrainConfig config;
  config.data = "digits";
  config.budget = "100it";
  RunDirectory::create(folder / "run", config);
  config.budget = "200it";
  try {
    RunDirectory::reopen(folder / "run", config);
    ADD_FAILURE() << "the budget was changed";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("this run has budget = 100it, not 200it"));
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace glidepath
