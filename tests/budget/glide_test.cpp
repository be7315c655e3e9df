// tests/budget/glide_test.cpp - Glide against closed forms, and on machines of the test's own.
#include "glidepath/glide.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "budget/time_budget.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

using testing::HasSubstr;

GlideOptions options_of(const std::string& budget, const std::string& schedule = "linear",
                        double base_lr = 0.1) {
  GlideOptions options;
  options.budget = budget;
  options.schedule = schedule;
  options.base_lr = base_lr;
  return options;
}

/// A clock that the test turns.
struct Hand {
  double now = 1000;
  GlideOptions on(GlideOptions options) {
    options.clock = [this] { return now; };
    return options;
  }
};

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Glide, TheRateOfWhatLandsEarlierIsTheScheduleSqueezed) {
  GlideOptions options;
  options.budget = "8it";
  options.base_lr = 0.4;
  Glide glide(options);
  for (const double right : {0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}) {
    EXPECT_NEAR(glide.lr_until(0.25), right, 1e-12);
    EXPECT_EQ(glide.lr_until(1), glide.lr());
    glide.update_done(0.1);
  }
  EXPECT_THROW(glide.lr_until(0), InputError);
  EXPECT_THROW(glide.lr_until(1.1), InputError);
}

TEST(Glide, HasTheSchedulesRatesAtEveryUpdateOfABudgetInUpdates) {
  for (const char* schedule :
       {"linear", "cosine", "rex", "linear(warmup=10%)", "wsd", "linear(warmup=7it)"}) {
    SCOPED_TRACE(schedule);
    Glide glide(options_of("50it", schedule));
    ScheduleContext context;
    context.updates = 50;
    const Schedule factor = parse_schedule(schedule, context);
    std::int64_t step = 0;
    for (; !glide.done(); ++step) {
      EXPECT_EQ(glide.step(), step);
      EXPECT_EQ(glide.progress(), static_cast<double>(step) / 50);
      EXPECT_EQ(glide.lr(), 0.1 * factor(static_cast<double>(step) / 50));
      glide.update();
    }
    EXPECT_EQ(step, 50);
    EXPECT_EQ(glide.lr(), 0.1 * factor(1));
    EXPECT_EQ(glide.updates_past_the_end(), 0);
  }
}

TEST(Glide, KnowsEpochsAndPercentByItsContext) {
  GlideOptions options = options_of("10%");
  options.context.steps_per_epoch = 391;
  EXPECT_EQ(Glide(options).updates(), 7820);  // of 200 epochs
  options.budget = "0.5ep";
  EXPECT_EQ(Glide(options).updates(), 196);
  options.budget = "10%";
  options.context.full = parse_budget("2h");
  Hand hand;
  Glide glide(hand.on(options));
  EXPECT_TRUE(glide.by_clock());
  EXPECT_EQ(glide.updates(), 0);
  EXPECT_NEAR(glide.seconds_left(), 720, 1);
}

TEST(Glide, PastTheEndTheRateStaysWhereItLanded) {
  Glide glide(options_of("3it"));
  for (int i = 0; i < 5; ++i) glide.update();
  EXPECT_TRUE(glide.done());
  EXPECT_EQ(glide.lr(), 0);
  EXPECT_EQ(glide.progress(), 1);
  EXPECT_EQ(glide.updates_past_the_end(), 2);
  EXPECT_EQ(glide.seconds_left(), 0);
}

/// What happens on a machine, in seconds from the program's start.
struct LoopMachine {
  double allowed = 60;
  double loading = 1;
  std::function<double(double now, std::int64_t step)> update = [](double, std::int64_t) { return 0.05; };
  std::function<double(double now, std::int64_t step)> between = [](double, std::int64_t) { return 0.0; };
  double final_cost = 1.5;
};

struct LoopOutcome {
  std::vector<double> factors;
  double ended = 0;
};

LoopOutcome train_on(const LoopMachine& machine, bool tells_the_beginning) {
  Hand hand;
  const double begun = hand.now;
  Glide glide(hand.on(options_of(std::to_string(machine.allowed) + "s")));
  glide.keep_back({machine.final_cost, 0});
  hand.now += machine.loading;
  if (tells_the_beginning) glide.begin();
  LoopOutcome outcome;
  while (!glide.done()) {
    outcome.factors.push_back(glide.factor());
    hand.now += machine.update(hand.now - begun, glide.step());
    glide.update();
    hand.now += machine.between(hand.now - begun, glide.step());
  }
  EXPECT_EQ(glide.lr(), 0);
  EXPECT_EQ(glide.updates_past_the_end(), 0);
  outcome.ended = hand.now - begun + machine.final_cost;
  return outcome;
}

void expect_kept(const LoopMachine& machine, bool tells_the_beginning, double largest_step) {
  SCOPED_TRACE(tells_the_beginning ? "with begin" : "without begin");
  const LoopOutcome outcome = train_on(machine, tells_the_beginning);
  EXPECT_NEAR(outcome.ended, machine.allowed, std::max(0.01 * machine.allowed, 2.0));
  EXPECT_LT(outcome.factors.back(), 0.02);
  EXPECT_EQ(outcome.factors.front(), 1);
  for (std::size_t i = 1; i < outcome.factors.size(); ++i) {
    EXPECT_LE(outcome.factors[i], outcome.factors[i - 1]);
    EXPECT_GT(outcome.factors[i], outcome.factors[i - 1] - largest_step) << i;
  }
}

void expect_kept(const LoopMachine& machine, double largest_step) {
  expect_kept(machine, true, largest_step);
  expect_kept(machine, false, largest_step);
}

TEST(Glide, LandsWhenTheTimeIsUpOnASteadyMachine) { expect_kept(LoopMachine(), 0.003); }

TEST(Glide, LandsOnAMachineThrottledToAThirdInTheMiddle) {
  LoopMachine machine;
  machine.update = [](double now, std::int64_t) { return now > 20 && now < 40 ? 0.15 : 0.05; };
  expect_kept(machine, 0.013);
}

// Loading and compiling are a part of the budget and no measure of an update.
TEST(Glide, LandsAfterALongLoadingAndASlowFirstUpdate) {
  LoopMachine machine;
  machine.loading = 25;
  machine.update = [](double, std::int64_t step) { return step == 0 ? 6.0 : 0.05; };
  expect_kept(machine, 0.0201);
}

TEST(Glide, LandsWithEvaluationsAndPausesBetweenUpdates) {
  LoopMachine machine;
  machine.between = [](double, std::int64_t step) { return step % 100 == 0 ? 1.5 : 0; };
  expect_kept(machine, 0.012);
  machine.between = [](double, std::int64_t step) { return step == 300 ? 20.0 : 0; };  // suspended
  expect_kept(machine, 0.012);
}

TEST(Glide, LandsThoughUpdatesAreLong) {
  LoopMachine machine;
  machine.update = [](double, std::int64_t) { return 1.9; };
  const LoopOutcome outcome = train_on(machine, true);
  EXPECT_GT(outcome.ended, 60 - 1.9 - 2);
  EXPECT_LT(outcome.ended, 62);
  EXPECT_LT(outcome.factors.back(), 0.02);
}

// An evaluation may take what was left; nothing is begun after it.
TEST(Glide, IsDoneWhenSomethingElseTookTheTime) {
  Hand hand;
  Glide glide(hand.on(options_of("60s")));
  glide.begin();
  for (int i = 0; i < 100; ++i) {
    hand.now += 0.05;
    glide.update();
  }
  EXPECT_FALSE(glide.done());
  EXPECT_GT(glide.lr(), 0);
  hand.now += 58;
  EXPECT_TRUE(glide.done());
  EXPECT_EQ(glide.lr(), 0);
}

// A scheduler that is stepped once an epoch.
TEST(Glide, CountsSeveralUpdatesAtOnce) {
  Hand hand;
  Glide glide(hand.on(options_of("60s")));
  glide.begin();
  double last = 1;
  while (!glide.done()) {
    last = glide.factor();
    hand.now += 40 * 0.05;
    glide.update(40);
  }
  EXPECT_NEAR(static_cast<double>(glide.step()), 60 / 0.05, 40);
  EXPECT_LT(last, 0.05);
  EXPECT_NEAR(glide.seconds_spent(), 60, 2);
  EXPECT_THAT(error_of([&] { glide.update(0); }), HasSubstr("update 0"));
}

TEST(Glide, ToldTheTimeItIsTimeBudgetToTheBit) {
  GlideOptions options = options_of("60s");
  options.clock = nullptr;
  Glide glide(options);
  TimeBudget budget(60, 0, 0, {});
  glide.keep_back({1.1, 0.2});
  budget.set_final_cost(1.1, 0.2);
  double now = 1;
  glide.tick(now);
  budget.tick(now);
  std::int64_t step = 0;
  for (; !budget.finished(); ++step) {
    ASSERT_FALSE(glide.done());
    ASSERT_EQ(glide.progress(), budget.progress());
    const double took = 0.03 + 0.02 * std::sin(static_cast<double>(step));
    now += took;
    glide.update_done(took);
    budget.update_done(took);
    glide.tick(now);
    budget.tick(now);
  }
  EXPECT_TRUE(glide.done());
  EXPECT_EQ(glide.step(), step);
  EXPECT_EQ(glide.seconds_spent(), now);
  EXPECT_EQ(glide.seconds_kept_back(), budget.kept_back());
  EXPECT_THAT(error_of([&] { glide.update(); }), HasSubstr("no clock"));
}

TEST(Glide, GoesOnFromAState) {
  Glide whole(options_of("100it", "cosine")), first(options_of("100it", "cosine"));
  for (int i = 0; i < 40; ++i) first.update();
  Glide second(options_of("100it", "cosine"));
  EXPECT_EQ(second.set_state(first.state()), "");
  for (int i = 0; !whole.done(); ++i) {
    if (i >= 40) {
      ASSERT_EQ(second.lr(), whole.lr());
      second.update();
    }
    whole.update();
  }
  EXPECT_TRUE(second.done());
}

TEST(Glide, IsMadeWhereAStateWasTakenWhateverTheOptionsBudgetIs) {
  Glide first(options_of("60it", "linear(warmup=20it)"));
  for (int i = 0; i < 30; ++i) first.update();
  first.halve_rate();
  // A budget that could not hold the warm-up: it is not looked at.
  Glide second(options_of("10it", "linear(warmup=20it)"), first.state());
  EXPECT_EQ(second.budget(), "60it");
  for (; !first.done(); first.update(), second.update()) EXPECT_EQ(first.lr(), second.lr()) << first.step();
  EXPECT_TRUE(second.done());
  EXPECT_EQ(second.final_lr(), 0);
  EXPECT_EQ(second.base_lr(), 0.05);
  GlideState wrong = first.state();
  wrong.rate = 0;
  EXPECT_THROW(Glide(options_of("60it"), wrong), InputError);
}

TEST(Glide, WhatWasSpentBeforeIsAPartOfABudgetInTime) {
  Hand hand;
  GlideOptions options = hand.on(options_of("100s"));
  options.seconds_before = 30;
  Glide glide(options);
  EXPECT_EQ(glide.seconds_spent(), 30);
  EXPECT_EQ(glide.seconds_allowed(), 100);
  hand.now += 20;
  EXPECT_EQ(glide.seconds_spent(), 50);
  EXPECT_TRUE(glide.has_time_for(10, 50));
  EXPECT_FALSE(glide.has_time_for(60, 50));
  std::int64_t updates = 0;
  for (; !glide.done(); ++updates, glide.update()) hand.now += 1;
  EXPECT_NEAR(static_cast<double>(updates), 50, 2);
  EXPECT_TRUE(Glide(options_of("10it")).has_time_for(1e9, 0));
}

TEST(Glide, GoesOnFromAStateWithWhatIsLeftOfTheTime) {
  Hand hand;
  const auto made = [&] { return Glide(hand.on(options_of("60s"))); };
  Glide first = made();
  first.begin();
  for (int i = 0; i < 600; ++i) {
    hand.now += 0.05;
    first.update();
  }
  const GlideState state = first.state();
  EXPECT_NEAR(state.seconds, 30, 1e-6);
  const double reached = first.factor();
  hand.now += 86400;  // a day between the sessions costs nothing
  Glide second = made();
  hand.now += 2;  // loading does
  EXPECT_EQ(second.set_state(state), "");
  EXPECT_EQ(second.factor(), reached);
  double last = reached;
  std::int64_t here = 0;
  for (; !second.done(); ++here) {
    EXPECT_LE(second.factor(), last);
    last = second.factor();
    hand.now += 0.05;
    second.update();
  }
  EXPECT_LT(last, 0.02);
  EXPECT_NEAR(second.seconds_spent(), 60, 2);
  EXPECT_NEAR(static_cast<double>(here), 30 / 0.05, 20);
}

// transformers #4383, #23099: a longer budget on resume made the rate jump.
TEST(Glide, ALongerOrShorterBudgetGoesOnFromTheRateThatItHas) {
  for (const char* asked : {"400it", "60it", "51it"}) {
    SCOPED_TRACE(asked);
    Glide first(options_of("100it"));
    for (int i = 0; i < 50; ++i) first.update();
    const double rate = first.lr();
    Glide second(options_of(asked));
    const std::string told = second.set_state(first.state());
    EXPECT_THAT(told,
                HasSubstr("budget 100it -> " + std::string(asked) + " at update 50: lr goes on from 0.05"));
    EXPECT_EQ(second.lr(), rate);
    const double left = static_cast<double>(second.updates() - 50);
    for (int i = 0; !second.done(); ++i, second.update())
      EXPECT_NEAR(second.lr(), 0.05 * (1 - i / left), 1e-12);
    EXPECT_EQ(second.step(), second.updates());
    EXPECT_EQ(second.lr(), 0);
    EXPECT_EQ(second.state().budget.changes.size(), 1U);
  }
}

TEST(Glide, IsReplannedBetweenUpdatesAndTime) {
  Hand hand;
  Glide glide(hand.on(options_of("100it")));
  for (int i = 0; i < 50; ++i) {
    hand.now += 1;
    glide.update();
  }
  EXPECT_EQ(glide.replan("110s"),
            "budget 100it -> 110s at update 50: lr goes on from 0.05, linear to 0 over 60 s");
  EXPECT_TRUE(glide.by_clock());
  double last = glide.lr();
  EXPECT_EQ(last, 0.05);
  while (!glide.done()) {
    last = glide.lr();
    hand.now += 0.5;
    glide.update();
  }
  EXPECT_LT(last, 0.002);
  EXPECT_NEAR(glide.seconds_spent(), 110, 2);
  EXPECT_THAT(error_of([&] { glide.replan("200s"); }), HasSubstr("the run has landed"));
}

TEST(Glide, RewindIsForWhatBothBudgetsShare) {
  const char* wsd = "wsd(decay=20%)";
  Glide glide(options_of("100it", wsd));
  for (int i = 0; i < 80; ++i) glide.update();
  EXPECT_THAT(glide.replan("200it", Replan::kRewind), HasSubstr("nothing is lost at update 80"));
  Glide whole(options_of("200it", wsd));
  for (int i = 0; i < 80; ++i) whole.update();
  for (; !whole.done(); whole.update(), glide.update()) ASSERT_EQ(glide.lr(), whole.lr());
  EXPECT_TRUE(glide.done());

  Glide late(options_of("100it", wsd));
  for (int i = 0; i < 90; ++i) late.update();
  const double rate = late.lr();
  EXPECT_THAT(
      error_of([&] { late.replan("200it", Replan::kRewind); }),
      HasSubstr("the same rates for 81 updates, and 90 are made; go back to a checkpoint of update 81"));
  EXPECT_EQ(late.lr(), rate);
  EXPECT_EQ(late.budget(), "100it");
  EXPECT_THAT(error_of([&] { late.replan("20m", Replan::kRewind); }), HasSubstr("use re-anneal"));
}

TEST(Glide, WhatCannotBeIsRefusedAndChangesNothing) {
  Glide glide(options_of("100it"));
  for (int i = 0; i < 50; ++i) glide.update();
  EXPECT_THAT(error_of([&] { glide.replan("50it"); }), HasSubstr("give more than 50it"));
  EXPECT_THAT(error_of([&] { glide.replan("2 hours"); }), HasSubstr("2 hours"));
  EXPECT_EQ(glide.budget(), "100it");
  EXPECT_EQ(glide.lr(), 0.05);
  EXPECT_THAT(error_of([] { Glide(options_of("soon")); }), HasSubstr("budget \"soon\""));
  EXPECT_THAT(error_of([] { Glide(options_of("3ep")); }), HasSubstr("epoch"));
  EXPECT_THAT(error_of([] { Glide(options_of("20m", "lineal")); }), HasSubstr("schedule \"lineal\""));
  EXPECT_THAT(error_of([] { Glide(options_of("20m", "linear", 0)); }), HasSubstr("base_lr 0"));
  EXPECT_THAT(error_of([] { Glide(options_of("20m", "linear", NAN)); }), HasSubstr("base_lr nan"));
  EXPECT_THAT(error_of([&] { glide.keep_back({-1, 0}); }), HasSubstr("keep_back -1"));
  const GlideState right = glide.state();
  const std::vector<std::function<void(GlideState&)>> damages = {
      [](GlideState& s) { s.step = -1; },
      [](GlideState& s) { s.seconds = NAN; },
      [](GlideState& s) { s.rate = 0; },
      [](GlideState& s) { s.budget.clock.progress = 2; },
      [](GlideState& s) {
        s.budget.origin = {60, 0.5};
      },
      [](GlideState& s) { s.budget.schedule_updates = -5; },
      [](GlideState& s) { s.budget.budget = ""; },
      [](GlideState& s) { s.budget.clock.origin_seconds = 1e9; },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    GlideState wrong = right;
    damages[i](wrong);
    EXPECT_NE(error_of([&] { glide.set_state(wrong); }), "no error") << i;
    EXPECT_EQ(glide.lr(), 0.05);
  }
}

TEST(Glide, DeadlinesAreBudgetsInTime) {
  Hand hand;
  GlideOptions options = hand.on(options_of("until 2026-12-01T06:00Z"));
  double unix = 1796104800 - 600;  // 05:50
  options.wall_clock = [&] { return unix; };
  Glide glide(options);
  EXPECT_NEAR(glide.seconds_left(), 600, 1);
  unix += 601;
  EXPECT_THAT(error_of([&] { Glide again(options); }), HasSubstr("has passed"));
  Glide later(hand.on(options_of("10m")));  // what the state had is over, and something else goes on from it
  EXPECT_THAT(later.set_state(glide.state()), HasSubstr("-> 10m at update 0: lr goes on from 0.1"));
  EXPECT_FALSE(later.done());
}

TEST(Glide, ASlurmJobsLimitIsADeadline) {
  ::setenv("SLURM_JOB_END_TIME", "1796104800", 1);
  Hand hand;
  GlideOptions options = hand.on(options_of("slurm"));
  options.wall_clock = [] { return 1796104800.0 - 600; };
  const Glide glide(options);
  ::unsetenv("SLURM_JOB_END_TIME");
  EXPECT_EQ(glide.budget(), "until 2026-12-01T05:59:48Z");
  EXPECT_NEAR(glide.seconds_left(), 588, 1);
}

TEST(Glide, FollowsTheLossHalvesAndFollowsAnother) {
  Glide plateau(options_of("100it", "plateau(patience=10%)"));
  for (int i = 0; i < 30; ++i) {
    plateau.observe_loss(1);
    plateau.update();
  }
  EXPECT_LT(plateau.lr(), 0.011);
  Glide glide(options_of("100it"));
  glide.halve_rate();
  EXPECT_EQ(glide.lr(), 0.05);
  Hand hand;
  Glide follower(hand.on(options_of("60s")));
  follower.follow(0.25, false);
  EXPECT_EQ(follower.factor(), 0.75);
  hand.now += 3600;
  EXPECT_FALSE(follower.done());
  follower.follow(0.99, true);
  EXPECT_TRUE(follower.done());

  // Of two whose clocks differ, both end when the first does.
  Hand slow, fast;
  Glide first(slow.on(options_of("60s"))), second(fast.on(options_of("60s")));
  std::int64_t updates = 0;
  for (; !first.done(); ++updates) {
    ASSERT_FALSE(second.done());
    slow.now += 0.1;
    fast.now += 0.3;
    first.update();
    second.update();
    const double progress = first.progress();
    const bool done = first.done();
    first.follow(progress, done);
    second.follow(progress, done);
    ASSERT_EQ(first.lr(), second.lr());
    slow.now += 0.05;  // between updates: neither looks
  }
  EXPECT_TRUE(second.done());
  EXPECT_NEAR(static_cast<double>(updates), 60 / 0.15, 5);
}

}  // namespace
}  // namespace glidepath
