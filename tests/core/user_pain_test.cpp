// tests/core/user_pain_test.cpp - what users of other programs ran into, thread by thread: schedules and
// progress. Threads about whole runs are in tests/loop/user_pain_test.cpp. Each test is named after its
// thread.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/replan.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

Schedule made_for(const std::string& text, double updates, double steps_per_epoch = 10) {
  ScheduleContext context;
  context.updates = updates;
  context.steps_per_epoch = steps_per_epoch;
  context.full_updates = updates;
  return parse_schedule(text, context);
}

/// The rates of updates [from, to) of a run of `updates`.
std::vector<double> rates(const Schedule& schedule, std::int64_t from, std::int64_t to, std::int64_t updates,
                          const ProgressOrigin& origin = {}) {
  std::vector<double> list;
  for (std::int64_t step = from; step < to; ++step)
    list.push_back(schedule(progress_from(origin, step, updates)));
  return list;
}

// Wanted: the rates of a run that was split in two to be those of one that was not.
TEST(UserPain, transformers_34053_same_rates_in_two_sessions) {
  const auto whole = rates(made_for("linear", 10), 0, 10, 10);
  auto split = rates(made_for("linear", 10), 0, 5, 10);
  const auto second = rates(made_for("linear", 10), 5, 10, 10);
  split.insert(split.end(), second.begin(), second.end());
  EXPECT_EQ(split, whole);
}

// Wanted: zero at the end of the run, on any number of processes. The schedule is asked, never stepped.
TEST(UserPain, transformers_26827_zero_at_the_end_with_two_processes) {
  BudgetContext one, two;
  one.steps_per_epoch = 100;
  two.steps_per_epoch = 50;  // each process sees half the batches
  const Budget budget = parse_budget("4ep");
  for (const BudgetContext& context : {one, two}) {
    const std::int64_t updates = updates_in(budget, context);
    EXPECT_EQ(updates, 4 * context.steps_per_epoch);
    const Schedule linear = made_for("linear", static_cast<double>(updates));
    EXPECT_DOUBLE_EQ(linear(progress_at(updates / 2, updates)), 0.5);
    EXPECT_GT(linear(progress_at(updates - 1, updates)), 0);
    EXPECT_EQ(linear(progress_at(updates, updates)), 0);
  }
}

TEST(UserPain, accelerate_2926_asking_once_per_process_changes_nothing) {
  const Schedule linear = made_for("linear", 100);
  for (int step = 0; step < 100; ++step) {
    const double first = linear(progress_at(step, 100));
    for (int process = 1; process < 4; ++process) EXPECT_EQ(linear(progress_at(step, 100)), first);
  }
}

// Wanted: no jump where the schedule is made anew (last_epoch).
TEST(UserPain, pytorch_60265_65342_a_schedule_made_anew_has_no_jump) {
  for (std::int64_t at = 1; at < 100; ++at) {
    const double before = made_for("cosine", 100)(progress_at(at - 1, 100));
    const double after = made_for("cosine", 100)(progress_at(at, 100));
    EXPECT_LT(after, before);
    EXPECT_LT(before - after, 1.58 / 100);  // the steepest a cosine of 100 updates gets: pi / 2
  }
}

TEST(UserPain, pytorch_49630_52236_warm_restarts_from_any_step) {
  const auto whole = rates(made_for("sgdr(1,2)", 70), 0, 70, 70);
  for (std::int64_t at = 0; at < 70; ++at) {
    const auto later = rates(made_for("sgdr(1,2)", 70), at, 70, 70);
    EXPECT_TRUE(std::equal(later.begin(), later.end(), whole.begin() + at)) << at;
  }
}

TEST(UserPain, pytorch_103444_a_schedule_can_be_put_at_step_n) {
  const Schedule schedule = made_for("cosine(warmup=10%)", 1000);
  const double at_700 = schedule(progress_at(700, 1000));
  schedule(progress_at(3, 1000));
  EXPECT_EQ(schedule(progress_at(700, 1000)), at_700);
  // And a new length is the new length, whatever the old object was.
  EXPECT_EQ(made_for("linear", 200)(progress_at(100, 200)), 0.5);
}

// Wanted: with another decay length the warm-up, once over, stays over.
TEST(UserPain, lightning_20552_another_length_does_not_run_the_warmup_again) {
  const Schedule schedule = made_for("linear(warmup=20it)", 100);
  const ProgressOrigin origin{40, progress_at(40, 100)};
  double last = schedule(progress_at(39, 100));
  for (const double rate : rates(schedule, 40, 300, 300, origin)) {
    EXPECT_LE(rate, last);
    last = rate;
  }
}

TEST(UserPain, lightning_15462_1772_onecycle_goes_on_at_its_very_update) {
  const auto whole = rates(made_for("onecycle", 50), 0, 50, 50);
  for (const std::int64_t at : {1, 14, 15, 16, 49})
    EXPECT_EQ(rates(made_for("onecycle", 50), at, at + 1, 50).front(), whole[static_cast<std::size_t>(at)]);
}

// Wanted: cosine after a warm-up that starts at its top, ends at its bottom, with nothing to subtract.
TEST(UserPain, timm_1242_2312_warmup_joins_the_top_and_the_bottom_is_reached) {
  for (const char* text : {"cosine(warmup=5ep)", "cosine(warmup=50it)", "cosine(warmup=25%)"}) {
    const Schedule schedule = made_for(text, 200);
    EXPECT_DOUBLE_EQ(schedule(0.25), 1) << text;
    EXPECT_LT(std::abs(schedule(progress_at(51, 200)) - 1), 0.01) << text;
    EXPECT_EQ(schedule(1), 0) << text;
  }
}

// Wanted: a time limit shortens the whole schedule, and a short timed run does not end in its warm-up.
TEST(UserPain, ultralytics_6919_25321_a_warmup_fits_a_timed_run) {
  const Schedule timed = parse_schedule("linear(warmup=10%)");  // a share: nothing about updates is asked
  EXPECT_DOUBLE_EQ(timed(0.1), 1);
  EXPECT_EQ(timed(1), 0);
  try {
    parse_schedule("linear(warmup=500it)");  // a clock does not tell how many updates there will be
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("give warmup=5%"));
  }
}

// Wanted: two epochs after one, and a rate that is neither stuck (xtuner), nor higher (open_clip), nor first
// far lower and then rising (OneTrainer).
class Lengthened : public testing::Test {
 protected:
  static void expect_even_descent(const char* text) {
    const Schedule schedule = made_for(text, 100);
    const ProgressOrigin origin{60, progress_at(60, 100)};
    const double reached = schedule(progress_at(60, 100));
    const auto rest = rates(schedule, 60, 200, 200, origin);
    EXPECT_EQ(rest.front(), reached) << text;
    for (std::size_t i = 1; i < rest.size(); ++i) {
      EXPECT_LT(rest[i], rest[i - 1]) << text;
      EXPECT_LT(rest[i - 1] - rest[i], 0.03) << text;
    }
    EXPECT_EQ(schedule(progress_from(origin, 200, 200)), 0);
  }
};

TEST_F(Lengthened, xtuner_211_the_rate_is_not_constant) { expect_even_descent("linear"); }
TEST_F(Lengthened, open_clip_413_the_rate_does_not_jump_up) { expect_even_descent("cosine"); }
TEST_F(Lengthened, OneTrainer_1604_the_rate_does_not_fall_far_and_rise) { expect_even_descent("rex"); }

// "Tried to step 60002 times. The specified number of total steps is 60000": a run of T updates has T rates,
// and one that turns out longer is a budget that is changed, not an exception in the middle.
TEST(UserPain, GrowSP_11_PiFold_6_flair_2954_the_declared_length_is_the_real_one) {
  const std::int64_t updates = 600;
  const Schedule schedule = made_for("onecycle", 600);
  EXPECT_NO_THROW(rates(schedule, 0, updates, updates));
  const ProgressOrigin origin{updates - 1, progress_at(updates - 1, updates)};
  EXPECT_NO_THROW(rates(schedule, updates - 1, updates + 200, updates + 200, origin));
}

TEST(UserPain, pytorch_38170_the_number_in_the_message_is_the_number) {
  try {
    progress_at(101, 100);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "step 101: must be in [0, 100]");
  }
}

// Wanted: 8 GPUs become 24 in the middle of one epoch, a third of the updates are left, and the schedule
// knows.
TEST(UserPain, transformers_22580_other_workers_in_the_middle_of_an_epoch) {
  const Schedule linear = made_for("linear", 2400);
  const std::int64_t done = 1200, left = 1200 / 3;
  const ProgressOrigin origin{done, progress_at(done, 2400)};
  const auto rest = rates(linear, done, done + left, done + left, origin);
  EXPECT_EQ(rest.front(), 0.5);
  EXPECT_NEAR(rest.back(), 0.5 / static_cast<double>(left), 1e-15);
  EXPECT_EQ(linear(progress_from(origin, done + left, done + left)), 0);
}

// Wanted: to know. A schedule is a function of the share spent, so a tenth of the length is the same descent.
TEST(UserPain, ml_agents_1568_a_tenth_of_the_length_is_the_same_schedule) {
  const Schedule long_run = made_for("linear", 500000), short_run = made_for("linear", 50000);
  for (int percent = 0; percent <= 100; ++percent) {
    EXPECT_DOUBLE_EQ(short_run(progress_at(500 * percent, 50000)),
                     long_run(progress_at(5000 * percent, 500000)));
  }
}

// Reproduced elsewhere: OneCycleLR(linear) left -0.00143, a cosine run on rose to its first rate, cramming's
// triangle went negative past the budget.
TEST(UserPain, cramming_and_pytorch_no_rate_is_negative_or_asked_past_the_end) {
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name == "plateau") continue;
    const Schedule schedule = made_for(info.example, 200);
    for (const double rate : rates(schedule, 0, 200, 200)) EXPECT_GE(rate, 0) << info.example;
    EXPECT_THROW(schedule(1.005), InputError);
  }
}

}  // namespace
}  // namespace glidepath
