// tests/schedule/peers_mistakes_test.cpp - what other programs' schedulers do wrong, as recorded from them
// (tests/data/golden/core/make_conventions.py), and that ours cannot. docs/schedules.md names these tests.
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/golden_csv.h"
#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

/// What a peer did, by step.
std::vector<double> recorded(const std::string& mistake) {
  std::vector<double> values;
  for (const auto& f : read_csv(GLIDEPATH_TEST_DATA "/core/mistakes.csv")) {
    if (f[0] == mistake) values.push_back(std::stod(f[2]));
  }
  return values;
}

std::vector<Schedule> every_schedule(const ScheduleContext& context) {
  std::vector<Schedule> schedules;
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name != "plateau") schedules.push_back(parse_schedule(info.example, context));
  }
  return schedules;
}

// PyTorch's CosineAnnealingLR(T_max=100) run for 200 updates is back at base_lr.
TEST(PeersMistakes, CosineRisesAgainPastItsEnd) {
  const auto theirs = recorded("cosine_past_its_end");
  ASSERT_EQ(theirs.size(), 201U);
  EXPECT_EQ(theirs[100], 0);
  EXPECT_NEAR(theirs[200], 1, 1e-12);
  const Schedule cosine = parse_schedule("cosine");
  EXPECT_EQ(cosine(1), 0);
  EXPECT_THROW(cosine(1.01), InputError);
  EXPECT_THROW(progress_at(101, 100), InputError);
}

// PyTorch's OneCycleLR leaves -0.00143 in the optimizer after its last update, and raises at the next.
TEST(PeersMistakes, OneCycleLeavesANegativeRate) {
  const auto theirs = recorded("onecycle_one_step_more");
  ASSERT_EQ(theirs.size(), 101U);
  EXPECT_NEAR(theirs[100], -0.00143, 1e-5);
  for (const Schedule& schedule : every_schedule({200, 10, 200, 1})) {
    for (int step = 0; step <= 200; ++step) ASSERT_GE(schedule(progress_at(step, 200)), 0) << schedule.text();
  }
  const Schedule linear = parse_schedule("onecycle(shape=linear)");
  EXPECT_EQ(linear(1), 1 / 25e4);
  for (int step = 0; step <= 100; ++step) EXPECT_GE(linear(progress_at(step, 100)), 1 / 25e4 - 1e-18);
}

// A scheduler made for 200 updates that loads the state of a run of 100 is one of 100 again (PyTorch). Ours
// has no state to load: the budget's length is asked for at every update.
TEST(PeersMistakes, AResumedSchedulerBringsItsOldLengthBack) {
  EXPECT_THAT(recorded("length_after_load_state_dict"), testing::ElementsAre(100, 100));
  for (const char* text : {"cosine", "onecycle", "linear"}) {
    const Schedule old = parse_schedule(text, {100, 10, 100, 1});
    const Schedule resumed = parse_schedule(old.text(), {200, 10, 200, 1});
    const Schedule fresh = parse_schedule(text, {200, 10, 200, 1});
    for (int step = 0; step <= 200; ++step) {
      ASSERT_EQ(resumed(progress_at(step, 200)), fresh(progress_at(step, 200))) << text << " " << step;
    }
  }
}

// transformers 4383: resumed after 50 of 100 updates with 200 for the length, the rate went from 0.05 to
// 0.0745, because progress went back from a half to a quarter. Ours is asked at spent / budget: as long as
// spending goes on, and progress with it, a decaying rate falls. (`train --resume` keeps the run's budget:
// see tests/loop/peers_mistakes_test.cpp.)
TEST(PeersMistakes, ALongerRunOnResumeMakesTheRateJumpUp) {
  const auto theirs = recorded("transformers_longer_on_resume");
  ASSERT_EQ(theirs.size(), 52U);
  EXPECT_DOUBLE_EQ(theirs[50], 0.05);
  EXPECT_NEAR(theirs[51], 0.0745, 1e-9);
  const Schedule linear = parse_schedule("linear");
  // What a longer budget may use instead: the same progress reached, the rest of it spread over what is left.
  double last = 0.1 * linear(progress_at(50, 100));
  EXPECT_DOUBLE_EQ(last, theirs[50]);
  for (int step = 1; step <= 150; ++step) {
    const double rate = 0.1 * linear(0.5 + 0.5 * progress_at(step, 150));
    ASSERT_LT(rate, last);
    last = rate;
  }
  EXPECT_EQ(last, 0);
}

// transformers 26827, accelerate 2926: with four processes the schedule is at 0 after a quarter of the
// budget. pytorch 103444: a scheduler cannot be put at step n. Ours has no step of its own: asked often or in
// any order, it answers the same.
TEST(PeersMistakes, ASchedulerIsSteppedOncePerProcess) {
  const auto theirs = recorded("accelerate_four_processes");
  ASSERT_EQ(theirs.size(), 30U);
  EXPECT_GT(theirs[24], 0);
  EXPECT_EQ(theirs[25], 0);
  const ScheduleContext context{100, 10, 100, 1};
  const auto schedules = every_schedule(context), again = every_schedule(context);
  for (std::size_t i = 0; i < schedules.size(); ++i) {
    std::vector<double> forward;
    for (int step = 0; step <= 100; ++step) forward.push_back(schedules[i](progress_at(step, 100)));
    for (int step = 100; step >= 0; --step) {
      for (int process = 0; process < 4; ++process) {
        ASSERT_EQ(again[i](progress_at(step, 100)), forward[static_cast<std::size_t>(step)])
            << schedules[i].text();
      }
    }
  }
}

// Composer takes shares of a length through int(): 29 % of 100 batches are 28, 57 % are 56, and the last
// update of such a run has a rate of 0 or one that is a step old.
TEST(PeersMistakes, SharesAreFlooredToOneUpdateLess) {
  const auto theirs = recorded("composer_share_of_100_batches");
  ASSERT_EQ(theirs.size(), 100U);
  EXPECT_EQ(theirs[28], 28);
  EXPECT_EQ(theirs[56], 56);
  for (const std::int64_t full : {100, 1000, 78200}) {
    BudgetContext context;
    context.steps_per_epoch = 1;
    context.full = {BudgetUnit::kIterations, static_cast<double>(full)};
    for (std::int64_t percent = 1; percent <= 100; ++percent) {
      ASSERT_EQ(updates_in({BudgetUnit::kPercent, static_cast<double>(percent)}, context),
                percent * full / 100);
    }
  }
}

// The same of the rate: every update has its own, and none is that of the one before.
TEST(PeersMistakes, FlooringMakesUpdatesAStepStale) {
  const Schedule linear = parse_schedule("linear");
  for (std::int64_t updates : {1, 3, 7, 39, 782, 78200}) {
    for (std::int64_t step = 0; step < updates; ++step) {
      ASSERT_DOUBLE_EQ(linear(progress_at(step, updates)),
                       1 - static_cast<double>(step) / static_cast<double>(updates));
    }
  }
  // A drop at 29 % of 100 updates is at update 29, not 28; a warm-up of 29 % is 29 updates long.
  for (int percent = 1; percent < 100; ++percent) {
    const std::string share = std::to_string(percent) + "%";
    const Schedule step = parse_schedule("step(" + share + ")", {100, 0, 0, 1});
    EXPECT_EQ(step(progress_at(percent - 1, 100)), 1) << share;
    EXPECT_EQ(step(progress_at(percent, 100)), 0.1) << share;
    const Schedule warm = parse_schedule("const(warmup=" + share + ")", {100, 0, 0, 1});
    EXPECT_LT(warm(progress_at(percent - 1, 100)), 1) << share;
    EXPECT_EQ(warm(progress_at(percent, 100)), 1) << share;
  }
}

// ultralytics 25321: a warm-up computed for the full run outlasted a short one. A share is one of the run's
// own budget, a length that does not fit is refused, and so is the full run's warm-up in a budget that it
// fills.
TEST(PeersMistakes, AWarmUpOfTheFullRunOutlastsAShortOne) {
  ScheduleContext context{100, 10, 10'000, 1};
  const Schedule share = parse_schedule("linear(warmup=5%)", context);
  EXPECT_LT(share(progress_at(4, 100)), 1);
  EXPECT_EQ(share(progress_at(5, 100)), 1);
  EXPECT_THROW(parse_schedule("linear(warmup=500it)", context), InputError);
  EXPECT_THROW(parse_schedule("linear(warmup=10ep)", context), InputError);
  EXPECT_THROW(parse_schedule("cut(linear(warmup=5%))", context), InputError);
  EXPECT_EQ(parse_schedule("linear(warmup=50it)", context)(1), 0);
  // By the clock the number of updates is unknown: a share is the only warm-up there is.
  EXPECT_THROW(parse_schedule("linear(warmup=500it)"), InputError);
  EXPECT_EQ(parse_schedule("linear(warmup=5%)")(0.05), 1);
}

// Lightning's number of updates under max_time is infinite, so that no schedule can be made from it; its
// earlier versions ended such a run after 1,000 epochs (lightning 8210). Ours need no number of updates, or
// say that they do.
TEST(PeersMistakes, ATimeLimitAndTheScheduleDoNotKnowOfEachOther) {
  EXPECT_THAT(recorded("lightning_estimated_updates_with_max_time"),
              testing::ElementsAre(std::numeric_limits<double>::infinity()));
  int made = 0;
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name == "plateau" || info.name == "sgdr") continue;  // by the loss; in epochs
    const Schedule schedule = parse_schedule(info.example);       // nothing known of the run
    EXPECT_EQ(schedule(1) == 0, info.ends_at == "0") << info.example;
    ++made;
  }
  EXPECT_GE(made, 15);
  EXPECT_THROW(parse_schedule("sgdr(10,2)"), InputError);
  EXPECT_THROW(updates_in(parse_budget("2h"), {391, {BudgetUnit::kEpochs, 200}, 0}), InputError);
}

// pytorch 38170 and the "Tried to step 60002 times" threads: a budget of T updates has T rates and one end.
TEST(PeersMistakes, ARunOfTUpdatesAsksForOneMore) {
  for (const Schedule& schedule : every_schedule({100, 10, 100, 1})) {
    EXPECT_NO_THROW(schedule(progress_at(100, 100))) << schedule.text();
  }
  EXPECT_THROW(progress_at(101, 100), InputError);
}

// timm 1242: with a warm-up, cosine jumps when the warm-up ends or stops short of its minimum. The recorded
// values are in conventions.csv, W = 4 of T = 20.
TEST(PeersMistakes, CosineJumpsAfterItsWarmUpOrMissesItsEnd) {
  double after_warmup = -1, last_with_prefix = -1;
  for (const auto& f : read_csv(GLIDEPATH_TEST_DATA "/core/conventions.csv")) {
    if (f[1] == "CosineLRScheduler(T, warmup_t=W)" && f[2] == "4") after_warmup = std::stod(f[3]);
    if (f[1] == "CosineLRScheduler(T, warmup_t=W, warmup_prefix=True)" && f[2] == "20")
      last_with_prefix = std::stod(f[3]);
  }
  EXPECT_NEAR(after_warmup, 0.9045, 1e-4);  // never base_lr
  EXPECT_NEAR(last_with_prefix, 0.0955, 1e-4);
  for (const char* name : {"cosine", "linear", "rex", "poly"}) {
    const Schedule schedule = parse_schedule(std::string(name) + "(warmup=4it)", {20, 0, 0, 1});
    EXPECT_EQ(schedule(progress_at(4, 20)), 1) << name;
    EXPECT_NEAR(schedule(0.2 - 1e-9), 1, 1e-7) << name;
    EXPECT_EQ(schedule(1), 0) << name;
  }
}

}  // namespace
}  // namespace glidepath
