// tests/core/peers_test.cpp - our factors against the schedulers of other programs, and mistakes of theirs
// that ours cannot make (docs/schedules.md has the table of conventions).
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"
#include "glidepath/plateau.h"
#include "glidepath/schedule.h"

namespace glidepath {
namespace {

struct PeerValue {
  std::string peer, schedule;
  std::int64_t updates, step;
  double lr;
};

// The schedule's text may hold commas inside quotes, as csv writes it.
std::vector<std::string> split_csv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

std::vector<PeerValue> peer_values() {
  std::ifstream file(GLIDEPATH_TEST_DATA "/core/peers.csv");
  std::vector<PeerValue> values;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const auto f = split_csv(line);
    values.push_back({f[0], f[1], std::stoll(f[2]), std::stoll(f[4]) + std::stoll(f[3]), std::stod(f[5])});
  }
  return values;
}

TEST(Peers, OurFactorsEqualTheirsAtEveryStep) {
  std::map<std::string, int> compared;
  for (const PeerValue& value : peer_values()) {
    ScheduleContext context;
    context.updates = static_cast<double>(value.updates);
    context.steps_per_epoch = 1;
    context.full_updates = context.updates;
    const double ours = parse_schedule(value.schedule, context)(progress_at(value.step, value.updates));
    // optax and timm's torch tensors are float32.
    const double tolerance = value.peer == "optax" ? 2e-7 : 1e-12;
    ASSERT_NEAR(ours, value.lr, tolerance) << value.peer << " " << value.schedule << " at " << value.step;
    ++compared[value.peer];
  }
  EXPECT_EQ(compared.size(), 4U);
  for (const auto& [peer, count] : compared) EXPECT_GE(count, 400) << peer;
}

// PyTorch's and Transformers' cosine continued past its T rises again to base_lr.
TEST(PeersMistakes, NothingRisesAfterTheEnd) {
  const Schedule cosine = parse_schedule("cosine");
  EXPECT_EQ(cosine(1), 0);
  EXPECT_THROW(cosine(1.01), InputError);
  EXPECT_THROW(progress_at(101, 100), InputError);
}

// PyTorch's OneCycleLR(linear) leaves -0.00143 in the optimizer when it is stepped once more.
TEST(PeersMistakes, OneCycleNeverGoesNegative) {
  const Schedule schedule = parse_schedule("onecycle(shape=linear)");
  for (int step = 0; step <= 200; ++step) EXPECT_GE(schedule(progress_at(step, 200)), 0);
}

// transformers 4383: resumed at step 50 with 200 steps for 100, the next update used 0.0745 after 0.05: p
// went back from a half to a quarter. Ours is asked at spent / budget, where spending goes on: the rate never
// rises.
TEST(PeersMistakes, TheRateIsAFunctionOfProgressAlone) {
  const Schedule linear = parse_schedule("linear");
  EXPECT_EQ(linear(progress_at(50, 100)), linear(progress_at(100, 200)));
}

// transformers 26827, accelerate 2926: stepped once per process, the schedule reached 0 at 1/N of the budget.
// pytorch 103444: a scheduler cannot be put at step n. Ours has no step of its own: asked often or in any
// order, it answers the same.
TEST(PeersMistakes, AskingOftenOrInAnyOrderChangesNothing) {
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name == "plateau") continue;
    ScheduleContext context;
    context.updates = 100;
    context.steps_per_epoch = 10;
    const Schedule schedule = parse_schedule(info.example, context);
    std::vector<double> forward;
    for (int step = 0; step <= 100; ++step) forward.push_back(schedule(progress_at(step, 100)));
    const Schedule resumed = parse_schedule(info.example, context);
    for (int step = 100; step >= 0; --step) {
      for (int process = 0; process < 4; ++process) {
        ASSERT_EQ(resumed(progress_at(step, 100)), forward[static_cast<std::size_t>(step)]) << info.example;
      }
    }
  }
}

// pytorch 38170 and the "Tried to step 60002 times" threads: a budget of T updates has T rates and one end.
TEST(PeersMistakes, ABudgetOfTUpdatesHasExactlyT) {
  EXPECT_NO_THROW(progress_at(100, 100));
  EXPECT_THROW(progress_at(101, 100), InputError);
}

// timm 1242: with a warm-up, cosine drops when the warm-up ends or misses its minimum.
TEST(PeersMistakes, WarmUpJoinsWithoutAStepAndTheEndIsReached) {
  for (const char* text :
       {"cosine(warmup=20%)", "linear(warmup=20%)", "rex(warmup=20%)", "poly(warmup=20%)"}) {
    const Schedule schedule = parse_schedule(text);
    EXPECT_NEAR(schedule(0.2 - 1e-9), 1, 1e-7) << text;
    EXPECT_DOUBLE_EQ(schedule(0.2), 1) << text;
    EXPECT_EQ(schedule(1), 0) << text;
  }
}

// ultralytics 25321: a warm-up made for the full run outlasted a short timed one.
TEST(PeersMistakes, AWarmUpLongerThanTheBudgetIsRefused) {
  ScheduleContext context;
  context.updates = 100;
  EXPECT_THROW(parse_schedule("linear(warmup=500it)", context), InputError);
  EXPECT_EQ(parse_schedule("linear(warmup=50it)", context)(1), 0);
}

// Composer and others floor to whole steps, which makes the last updates one step stale.
TEST(PeersMistakes, EveryUpdateHasItsOwnRate) {
  const Schedule linear = parse_schedule("linear");
  for (std::int64_t updates : {1, 3, 7, 39, 782, 78200}) {
    for (std::int64_t step = 0; step < updates; ++step) {
      ASSERT_DOUBLE_EQ(linear(progress_at(step, updates)),
                       1 - static_cast<double>(step) / static_cast<double>(updates));
    }
  }
}

TEST(Plateau, LowersTheRateAfterItsPatienceAndKeepsItOtherwise) {
  Plateau plateau({0.1, 0.1, 0});
  for (int i = 0; i <= 10; ++i) plateau.observe(i / 100.0, 10 - i);  // falling: no plateau
  EXPECT_EQ(plateau.factor(), 1);
  for (int i = 11; i <= 20; ++i) plateau.observe(i / 100.0, 5);
  EXPECT_EQ(plateau.factor(), 1);  // exactly its patience
  plateau.observe(0.21, std::nan(""));
  EXPECT_DOUBLE_EQ(plateau.factor(), 0.1);
  plateau.observe(0.22, 5);
  EXPECT_DOUBLE_EQ(plateau.factor(), 0.1);
}

}  // namespace
}  // namespace glidepath
