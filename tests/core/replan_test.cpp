// tests/core/replan_test.cpp - budgets made longer and shorter on the way.
#include "glidepath/replan.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

Schedule schedule_for(const char* text, std::int64_t updates) {
  ScheduleContext context;
  context.updates = static_cast<double>(updates);
  context.steps_per_epoch = 10;
  context.full_updates = 2000;
  return parse_schedule(text, context);
}

// transformers 4383, 23099: linear, 100 -> 200 updates at 50, jumped from 0.05 to 0.0745. Here the rate of
// the update that would have come next comes next, and falls evenly to zero over the 150 that are left.
TEST(Replan, LinearGoesOnEvenlyFromItsRateToZero) {
  const Schedule linear = parse_schedule("linear");
  const ProgressOrigin origin{50, progress_at(50, 100)};
  for (std::int64_t step = 50; step <= 200; ++step) {
    EXPECT_NEAR(linear(progress_from(origin, step, 200)), 0.5 * static_cast<double>(200 - step) / 150, 1e-15);
  }
  EXPECT_EQ(linear(progress_from(origin, 50, 200)), 0.5);
  EXPECT_EQ(linear(progress_from(origin, 200, 200)), 0);
  // Shorter: 60 in all.
  EXPECT_DOUBLE_EQ(linear(progress_from(origin, 55, 60)), 0.25);
  EXPECT_EQ(linear(progress_from(origin, 60, 60)), 0);
}

TEST(Replan, FromTheBeginningItIsTheOrdinaryProgress) {
  for (const std::int64_t updates : {1, 3, 7, 782, 78200}) {
    for (std::int64_t step = 0; step <= updates; step += 1 + updates / 50)
      EXPECT_EQ(progress_from({}, step, updates), progress_at(step, updates));
  }
}

// Every schedule, longer and shorter budgets, changes in the warm-up, half-way, near the end, and twice.
TEST(Replan, NeverJumpsFallsWhereTheScheduleFallsAndLands) {
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name == "plateau") continue;
    for (const char* warmup : {"", "warmup=10%", "warmup=8it"}) {
      const std::string bare = info.example;
      if (*warmup != '\0' && (bare.find("warmup") != std::string::npos || info.name == "onecycle")) continue;
      std::string text = bare;
      if (*warmup != '\0') {
        text = bare.back() == ')' ? bare.substr(0, bare.size() - 1) + "," + warmup + ")"
                                  : bare + "(" + warmup + ")";
      }
      SCOPED_TRACE(text);
      const std::int64_t first = 100;
      const Schedule schedule = schedule_for(text.c_str(), first);
      for (const std::int64_t at : {1, 5, 50, 97}) {
        for (const std::int64_t updates : {98, 120, 200, 1000}) {
          const ProgressOrigin origin{at, progress_at(at, first)};
          // The update at the change has the rate that it would have had.
          ASSERT_EQ(schedule(progress_from(origin, at, updates)), schedule(progress_at(at, first)));
          // Progress rises all the way to 1 exactly: rates are the schedule's own, in its order.
          double last = origin.progress;
          for (std::int64_t step = at; step <= updates; ++step) {
            const double progress = progress_from(origin, step, updates);
            ASSERT_GE(progress, last);
            ASSERT_LE(progress - last, (1 - origin.progress) / static_cast<double>(updates - at) + 1e-15);
            last = progress;
          }
          EXPECT_EQ(last, 1);
          EXPECT_EQ(schedule(last), schedule(1));
          // And once more, to twice the length.
          const std::int64_t middle = (at + updates) / 2;
          const ProgressOrigin again{middle, progress_from(origin, middle, updates)};
          ASSERT_EQ(progress_from(again, middle, 2 * updates), again.progress);
          EXPECT_EQ(progress_from(again, 2 * updates, 2 * updates), 1);
        }
      }
    }
  }
}

TEST(Replan, InAFallingScheduleNoLaterRateIsHigher) {
  for (const char* text : {"linear", "cosine", "poly", "step-d2", "exp(0.97)", "htd(-6,3)", "rex", "wsd"}) {
    const Schedule schedule = schedule_for(text, 100);
    const ProgressOrigin origin{37, progress_at(37, 100)};
    double last = schedule(origin.progress);
    for (std::int64_t step = 37; step < 400; ++step) {
      const double now = schedule(progress_from(origin, step, 400));
      ASSERT_LE(now, last) << text << " at " << step;
      last = now;
    }
  }
}

TEST(Replan, SharedUpdatesAreThoseBeforeTheSchedulesPart) {
  struct Case {
    const char* text;
    std::int64_t first, second, shared;
  };
  for (const Case& c :
       {Case{"const", 100, 200, 100},
        {"wsd(decay=20%)", 100, 200, 81},  // the update at the decay's beginning is still at 1
        {"wsd(decay=20%)", 100, 50, 41},
        {"step-d2", 90, 180, 30},
        {"step(0.5,0.75)", 100, 60, 30},
        {"linear", 100, 200, 1},
        {"cosine", 100, 200, 1},
        {"linear(warmup=10it)", 100, 200, 11},
        {"linear(warmup=10%)", 100, 200, 1},
        {"const(warmup=10it)", 100, 200, 100},
        {"sgdr(10,2)", 300, 700, 300},
        {"cut(linear)", 100, 200, 100},  // the full budget's rates, whatever this one's
        {"linear", 100, 100, 100}}) {
    EXPECT_EQ(
        shared_updates(schedule_for(c.text, c.first), c.first, schedule_for(c.text, c.second), c.second),
        c.shared)
        << c.text << " " << c.first << " " << c.second;
  }
}

TEST(Replan, WrongStepsAndWordsAreNamed) {
  EXPECT_THROW(progress_from({50, 0.5}, 49, 100), InputError);
  EXPECT_THROW(progress_from({50, 0.5}, 101, 100), InputError);
  EXPECT_THROW(progress_from({50, 0.5}, 50, 50), InputError);
  EXPECT_THROW(progress_from({50, 1.5}, 50, 100), InputError);
  EXPECT_THROW(progress_from({50, std::nan("")}, 50, 100), InputError);
  EXPECT_EQ(parse_replan("rewind"), Replan::kRewind);
  EXPECT_EQ(parse_replan("re-anneal"), Replan::kReAnneal);
  try {
    parse_replan("reanneal");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "\"reanneal\": must be re-anneal (go on from the present rate) or rewind (back to where both "
        "budgets agree)");
  }
}

}  // namespace
}  // namespace glidepath
