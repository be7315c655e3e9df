// tests/loop/peers_mistakes_test.cpp - what other programs do wrong with budgets by the clock, and
// that a run of ours cannot. docs/schedules.md names these tests.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "budget/budget_meter.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

BudgetContext context() { return {5, {BudgetUnit::kEpochs, 200}, 0}; }

/// Largest and last factor of a schedule under a clock with 1,000 updates in the budget, and how the time was
/// kept.
struct Flown {
  double highest = 0, last = 1, at_half = 0, seconds = 0;
  std::int64_t updates = 0;
};
Flown fly(const std::string& budget_text, const Schedule& schedule, double update_seconds) {
  BudgetMeter meter(parse_budget(budget_text), context(), 0, 0);
  const double budget = parse_budget(budget_text).amount;
  Flown flown;
  for (meter.tick(0); !meter.finished(); ++flown.updates) {
    flown.last = schedule(meter.progress());
    flown.highest = std::max(flown.highest, flown.last);
    if (flown.seconds <= budget / 2) flown.at_half = meter.progress();
    flown.seconds += update_seconds;
    meter.update_done(update_seconds);
    meter.tick(flown.seconds);
  }
  return flown;
}

// Progress as elapsed / max(1 h, budget) ends a run of ten minutes at a sixth of its schedule; with a warm-up
// of a quarter it never reaches base_lr.
TEST(PeersMistakes, AClockBudgetIsDividedByAtLeastAnHour) {
  const Schedule schedule = parse_schedule("linear(warmup=25%)");
  for (const char* text : {"10s", "1m", "10m", "1h", "36h"}) {
    SCOPED_TRACE(text);
    const Flown flown = fly(text, schedule, parse_budget(text).amount / 1000);
    EXPECT_NEAR(flown.highest, 1, 0.005);
    EXPECT_NEAR(flown.at_half, 0.5, 0.02);  // some time is kept back for what follows the last update
    EXPECT_NEAR(flown.last, 0, 0.005);
  }
}

// lightning 8210: a time limit of days ended at a silent default of 1,000 epochs.
TEST(PeersMistakes, ATimeLimitEndsAtASilentDefaultOf1000Epochs) {
  const Flown flown = fly("10m", parse_schedule("linear"), 0.05);
  EXPECT_GT(flown.updates / context().steps_per_epoch, 2000);
  EXPECT_LE(flown.seconds, 600);
  EXPECT_GE(flown.seconds, 598);
}

}  // namespace
}  // namespace glidepath
