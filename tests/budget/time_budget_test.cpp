// tests/loop/time_budget_test.cpp - runs under a clock of the test's own: slow starts, other processes,
// pauses.
#include "budget/time_budget.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "glidepath/schedule.h"

namespace glidepath {
namespace {

/// A machine: how long things take on it at a given time.
struct Machine {
  double allowed = 60;
  double loading = 1;
  double writing = 0.2;
  std::function<double(double now, std::int64_t step)> update = [](double, std::int64_t) { return 0.05; };
  std::function<double(double now)> evaluation = [](double) { return 1.0; };
  std::int64_t evaluate_every = 0;  // updates; 0: at the end alone
  std::function<double(double now, std::int64_t step)> pause = [](double, std::int64_t) { return 0.0; };
};

struct Outcome {
  std::vector<double> progress;  // of every update
  double ended = 0;
  double last() const { return progress.back(); }
  double largest_step() const {
    double largest = 0;
    for (std::size_t i = 1; i < progress.size(); ++i)
      largest = std::max(largest, progress[i] - progress[i - 1]);
    return largest;
  }
};

// As the training loop does it. What is measured before the run is the evaluation's cost at that time.
Outcome run_on(const Machine& machine) {
  Outcome outcome;
  TimeBudget budget(machine.allowed, 0, 0, {});
  double now = machine.loading;
  double cost = machine.evaluation(now);
  now += 0.1;
  budget.set_final_cost(cost, machine.writing);
  budget.tick(now);
  std::int64_t step = 0;
  while (!budget.finished()) {
    outcome.progress.push_back(budget.progress());
    const double took = machine.update(now, step++);
    now += took;
    budget.update_done(took);
    now += machine.pause(now, step);
    if (machine.evaluate_every > 0 && step % machine.evaluate_every == 0 && !budget.finished() &&
        budget.has_time_for(cost, now)) {
      cost = machine.evaluation(now);
      now += cost;
      budget.set_final_cost(cost, machine.writing);
    }
    if (budget.final_cost_is_old()) {
      now += machine.evaluation(now) / 40;  // one batch
      cost = machine.evaluation(now);
      budget.set_final_cost(cost, machine.writing);
    }
    budget.tick(now);
  }
  outcome.ended = now + machine.evaluation(now) + machine.writing;
  return outcome;
}

void expect_kept(const Machine& machine, const Outcome& outcome) {
  const double tolerance = std::max(0.01 * machine.allowed, 2.0);
  EXPECT_LE(outcome.ended, machine.allowed + tolerance);
  EXPECT_GE(outcome.ended, machine.allowed - tolerance);
  EXPECT_LT(1 - outcome.last(), 0.02);  // f(p) of linear
  EXPECT_LT(outcome.last(), 1);
  EXPECT_EQ(outcome.progress.front(), 0);  // base_lr, whatever loading took
  EXPECT_TRUE(std::is_sorted(outcome.progress.begin(), outcome.progress.end()));
}

TEST(TimeBudget, OnASteadyMachineProgressIsTimeSpentOverTimeAllowed) {
  const Machine machine;
  const Outcome outcome = run_on(machine);
  expect_kept(machine, outcome);
  const auto count = static_cast<double>(outcome.progress.size());
  EXPECT_NEAR(count, (60 - 1.1 - 1.1 * 1.2 - 0.3) / 0.05, 2);
  for (std::size_t i = 3; i < outcome.progress.size(); ++i) {
    EXPECT_NEAR(outcome.progress[i], static_cast<double>(i) / count, 2 / count);
  }
  EXPECT_LT(outcome.largest_step(), 2 / count);
}

struct Case {
  std::string name;
  Machine machine;
  double largest_step;  // of p; an even step is about 0.001
};

std::ostream& operator<<(std::ostream& stream, const Case& c) { return stream << c.name; }

Case make_case(const std::string& name, double largest_step, const std::function<void(Machine&)>& change) {
  Case c{name, {}, largest_step};
  change(c.machine);
  return c;
}

std::vector<Case> cases() {
  using C = Machine;
  const auto jitter = [] {
    return [random = std::mt19937(7)](double, std::int64_t) mutable {
      return 0.05 * std::uniform_real_distribution<double>(0.5, 1.5)(random);
    };
  };
  return {
      make_case("SlowStart", 0.0201,
                [](C& m) {
                  m.loading = 8;
                  m.update = [](double, std::int64_t step) {
                    return step == 0 ? 5.0 : step < 20 ? 0.2 : 0.05;
                  };
                }),
      make_case("ThreeTimesSlowerForAThird", 0.013,
                [](C& m) {
                  const auto slow = [](double now) { return now > 20 && now < 40 ? 3.0 : 1.0; };
                  m.update = [=](double now, std::int64_t) { return 0.05 * slow(now); };
                  m.evaluation = [=](double now) { return 1.0 * slow(now); };
                  m.evaluate_every = 200;
                }),
      make_case("ThreeTimesSlowerFromHalfWayToTheEnd", 0.013,
                [](C& m) {
                  const auto slow = [](double now) { return now > 30 ? 3.0 : 1.0; };
                  m.update = [=](double now, std::int64_t) { return 0.05 * slow(now); };
                  m.evaluation = [=](double now) { return 1.0 * slow(now); };
                }),
      make_case("ThreeTimesSlowerInTheLastSeconds", 0.05,
                [](C& m) {
                  const auto slow = [](double now) { return now > 55 ? 3.0 : 1.0; };
                  m.update = [=](double now, std::int64_t) { return 0.05 * slow(now); };
                  m.evaluation = [=](double now) { return 1.0 * slow(now); };
                }),
      make_case("FasterFromHalfWay", 0.005,
                [](C& m) { m.update = [](double now, std::int64_t) { return now > 30 ? 0.02 : 0.06; }; }),
      make_case("SuspendedForAThird", 0.008,
                [](C& m) { m.pause = [](double, std::int64_t step) { return step == 300 ? 20.0 : 0.0; }; }),
      make_case("SuspendedTwiceLate", 0.02,
                [](C& m) {
                  m.pause = [](double, std::int64_t step) { return step == 700 || step == 800 ? 5.0 : 0.0; };
                }),
      make_case("Jitter", 0.006, [&](C& m) { m.update = jitter(); }),
      make_case("JitterAndAStallNowAndThen", 0.006,
                [&](C& m) {
                  m.update = jitter();
                  m.pause = [random = std::mt19937(11)](double, std::int64_t) mutable {
                    return std::uniform_real_distribution<double>(0, 1)(random) < 0.02 ? 0.5 : 0.0;
                  };
                }),
      make_case("EvaluationsTakeHalfTheTime", 0.01, [](C& m) { m.evaluate_every = 20; }),
      make_case("FourTimesSlowerInTheFirstTenSeconds", 0.015,
                [](C& m) {
                  const auto slow = [](double now) { return now < 10 ? 4.0 : 1.0; };
                  m.update = [=](double now, std::int64_t) { return 0.05 * slow(now); };
                  m.evaluation = [=](double now) { return 3.0 * slow(now); };
                }),
      make_case("EvaluationIsCostlierThanItSeemed", 0.01,
                [](C& m) {
                  m.evaluation = [](double now) { return now < 2 ? 0.5 : 4.0; };
                  m.evaluate_every = 300;
                }),
      make_case("TwentyUpdates", 0.12,
                [](C& m) {
                  m.allowed = 20;
                  m.update = [](double, std::int64_t) { return 0.85; };
                  m.evaluation = [](double) { return 0.5; };
                }),
      make_case("TwentyUnevenUpdates", 0.2,
                [](C& m) {
                  m.allowed = 20;
                  m.update = [random = std::mt19937(3)](double, std::int64_t) mutable {
                    return std::uniform_real_distribution<double>(0.7, 1)(random);
                  };
                  m.evaluation = [](double) { return 0.5; };
                }),
      make_case("FortyVeryUnevenUpdates", 0.2,
                [](C& m) {
                  m.update = [random = std::mt19937(4)](double, std::int64_t) mutable {
                    return 0.8 * std::exp(std::normal_distribution<double>(0, 0.6)(random));
                  };
                }),
      make_case("TwoHours", 0.001,
                [&](C& m) {
                  m.allowed = 7200;
                  m.evaluate_every = 400;
                  m.update = [random = std::mt19937(5)](double now, std::int64_t) mutable {
                    const double slow = now > 2000 && now < 4000 ? 2.5 : 1;
                    return 0.3 * slow * std::uniform_real_distribution<double>(0.9, 1.3)(random);
                  };
                  m.evaluation = [](double) { return 8.0; };
                }),
  };
}

class TimeBudgetCases : public testing::TestWithParam<Case> {};

TEST_P(TimeBudgetCases, EndsInTimeLandsAndDoesNotJump) {
  const Outcome outcome = run_on(GetParam().machine);
  expect_kept(GetParam().machine, outcome);
  EXPECT_LT(outcome.largest_step(), GetParam().largest_step);
  RecordProperty("updates", static_cast<int>(outcome.progress.size()));
  RecordProperty("ended", std::to_string(outcome.ended));
  RecordProperty("largest_step", std::to_string(outcome.largest_step()));
  RecordProperty("last_progress", std::to_string(outcome.last()));
}

// |df| of what is trained with: cosine is steepest, by pi / 2.
TEST_P(TimeBudgetCases, NeighbouringUpdatesHaveNeighbouringRates) {
  const Outcome outcome = run_on(GetParam().machine);
  for (const char* text : {"linear", "cosine", "linear(warmup=20%)", "poly(power=2)"}) {
    const Schedule schedule = parse_schedule(text);
    const double steepest = std::string(text) == "linear"   ? 1
                            : std::string(text) == "cosine" ? 1.6
                                                            : 5;  // the warm-up's, and 2 of poly
    for (std::size_t i = 1; i < outcome.progress.size(); ++i) {
      ASSERT_LE(std::abs(schedule(outcome.progress[i]) - schedule(outcome.progress[i - 1])),
                steepest * GetParam().largest_step)
          << text << " at update " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, TimeBudgetCases, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

// Few and very uneven updates, as on a machine that is short of cores: the next may take all the time there
// is.
TEST(TimeBudget, LandsThoughNoUpdateIsLikeTheOneBefore) {
  int landed = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Machine machine;
    machine.update = [random = std::mt19937(seed)](double, std::int64_t) mutable {
      return 0.8 * std::exp(std::normal_distribution<double>(0, 0.6)(random));
    };
    if (1 - run_on(machine).last() < 0.02) ++landed;
  }
  EXPECT_GE(landed, 95);
}

// What is kept back changes with every evaluation: progress must neither go back nor leap.
TEST(TimeBudget, AChangedEstimateOfWhatIsKeptBackMovesNothingAtOnce) {
  TimeBudget budget(100, 0, 0, {});
  budget.set_final_cost(5, 0);
  double now = 0, last = 0;
  budget.tick(now);
  for (int i = 0; i < 400; ++i) {
    now += 0.1;
    budget.update_done(0.1);
    if (i % 50 == 20) budget.set_final_cost(i % 100 == 20 ? 30 : 1, 0);
    budget.tick(now);
    EXPECT_GE(budget.progress(), last);
    EXPECT_LE(budget.progress() - last, 4.2 * 0.1 / (70 - now));
    last = budget.progress();
  }
}

// One measurement that another process held up would end a run in its middle.
TEST(TimeBudget, ASuddenEndIsMeasuredAgainOnce) {
  TimeBudget budget(90, 0, 0, {});
  budget.set_final_cost(3, 0);
  double now = 0;
  const auto update = [&] {
    now += 0.05;
    budget.update_done(0.05);
    budget.tick(now);
  };
  budget.tick(now);
  while (now < 45) {
    update();
    EXPECT_FALSE(budget.final_cost_is_old());
  }
  budget.set_final_cost(40, 0);  // nothing is left: 45 + 1.1 * 40 + 0.3 > 89
  EXPECT_TRUE(budget.final_cost_is_old());
  TimeBudget believed = budget;
  believed.set_final_cost(40, 0);
  EXPECT_FALSE(believed.final_cost_is_old());
  EXPECT_LT(believed.seconds_left(), 1);

  budget.set_final_cost(3, 0);
  EXPECT_FALSE(budget.final_cost_is_old());
  while (!budget.finished()) update();
  EXPECT_NEAR(now, 90 - 3.6, 0.2);
  EXPECT_GT(budget.progress(), 0.98);
}

// Where every core is taken some updates take ten times as long as the others. What was measured stays
// measured: the machine is slower once, not at every turn.
TEST(TimeBudget, UnevenUpdatesAreNotMeasuredAgainAndAgain) {
  TimeBudget budget(900, 0, 0, {});
  budget.set_final_cost(3, 0);
  std::mt19937 random(1);
  std::lognormal_distribution<double> loaded(std::log(0.1), 0.7);  // 0.13 on average
  double now = 0;
  int measured = 0;
  budget.tick(now);
  const auto updates = [&](int count, const std::function<double()>& next) {
    for (int i = 0; i < count; ++i) {
      const double took = next();
      budget.update_done(took);
      budget.tick(now += took);
      if (!budget.final_cost_is_old()) continue;
      ++measured;
      budget.set_final_cost(3 * budget.pace().now / 0.02, 0);
    }
  };
  updates(500, [] { return 0.02; });
  EXPECT_DOUBLE_EQ(budget.pace().now, 0.02);
  EXPECT_EQ(measured, 0);
  updates(500, [&] { return loaded(random); });
  EXPECT_NEAR(budget.pace().now, 0.13, 0.06);
  EXPECT_NEAR(budget.pace().best, 0.02, 1e-9);
  EXPECT_LE(measured, 30);  // the middle of nine, which is what counted once, 100 times and more
  updates(100, [] { return 0.02; });
  EXPECT_NEAR(budget.pace().now, 0.02, 0.001);
}

// A pause in somebody's loop counts for its update. Shortly before the end it must not hurry the rest.
TEST(TimeBudget, OneLongUpdateNearTheEndHurriesNothing) {
  for (double phase = 0; phase < 6.5; phase += 0.5) {
    SCOPED_TRACE(phase);
    TimeBudget budget(60, 0, 0, {});
    budget.set_final_cost(1.5, 0);
    double now = 0, last = 0, largest = 0;
    budget.tick(now);
    for (int step = 1; !budget.finished(); ++step) {
      largest = std::max(largest, budget.progress() - last);
      last = budget.progress();
      const double took = 0.05 * (1.5 + std::sin(7 * now + phase)) + (step % 300 == 0 ? 1.5 : 0);
      budget.update_done(took);
      budget.tick(now += took);
    }
    EXPECT_LT(largest, 0.0201);
    EXPECT_NEAR(now + 1.5, 60, 2.2);
    EXPECT_GT(last, 0.98);
  }
}

// An hour of sleep is no pace.
TEST(TimeBudget, ASuspendedMachineHasNotBecomeSlow) {
  TimeBudget budget(9000, 0, 0, {});
  budget.set_final_cost(3, 0);
  budget.tick(0);
  for (int i = 0; i < 20; ++i) budget.update_done(0.02);
  budget.update_done(3600);
  EXPECT_LT(budget.pace().now, 1.01 * 0.02);
}

TEST(TimeBudget, AResumedRunGoesOnFromWhereItWasWithWhatIsLeft) {
  TimeBudget first(60, 0, 0, {});
  double now = 1;
  first.tick(now);
  std::int64_t step = 0;
  for (; now < 30; ++step) {
    now += 0.1;
    first.update_done(0.1);
    first.tick(now);
  }
  TimeBudget second(60, now, step, first.state());
  now += 2;  // loading
  second.tick(now);
  EXPECT_EQ(second.progress(), first.progress());
  double last = second.progress();
  while (!second.finished()) {
    now += 0.1;
    second.update_done(0.1);
    second.tick(now);
    EXPECT_GE(second.progress(), last);
    EXPECT_LE(second.progress() - last, 0.02);
    last = second.progress();
  }
  EXPECT_NEAR(now, 60 - 0.3, 0.2);
  EXPECT_GT(last, 0.98);
}

TEST(TimeBudget, TooLittleTimeIsSeenBeforeTheFirstUpdate) {
  TimeBudget budget(3, 0, 0, {});
  budget.set_final_cost(1, 0.5);  // 1.1 * 1.5 + 0.3 = 1.95
  EXPECT_TRUE(budget.has_time_for(0, 1.04));
  EXPECT_FALSE(budget.has_time_for(0, 1.06));
}

TEST(TimeBudget, OneUpdateThatTakesAllTheTimeIsTheLast) {
  TimeBudget budget(10, 0, 0, {});
  budget.tick(1);
  EXPECT_FALSE(budget.finished());
  budget.update_done(12);
  budget.tick(13);
  EXPECT_TRUE(budget.finished());
}

}  // namespace
}  // namespace glidepath
