// tests/schedule/schedule_test.cpp - properties that every schedule keeps, closed forms, grammar and its
// errors.
#include "glidepath/schedule.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/budget.h"
#include "glidepath/error.h"

namespace glidepath {
namespace {

// CIFAR-10 by the paper: 200 epochs of 391 updates, a budget of a tenth of it.
ScheduleContext cifar_context() {
  ScheduleContext context;
  context.updates = 7820;
  context.steps_per_epoch = 391;
  context.full_updates = 78200;
  context.base_lr = 0.1;
  return context;
}

std::string message_of(std::string_view text, const ScheduleContext& context = cifar_context()) {
  try {
    parse_schedule(text, context);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> every_example() {
  std::vector<std::string> examples{
      "step(0.5,0.75)", "htd(-4,4)",        "exp(0.95)", "wsd(decay=30%,shape=linear)",
      "cut(step-d2)",   "cut(exp(0.97))",   "bac(sgdr)", "linear(warmup=5%)",
      "uba(phi=0.5)",   "cosine(floor=1%)", "step-d10"};
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.name != "plateau") examples.push_back(info.example);
  }
  return examples;
}

TEST(Schedule, EveryFactorIsInRangeAndFinite) {
  for (const std::string& text : every_example()) {
    const Schedule schedule = parse_schedule(text, cifar_context());
    for (int i = 0; i <= 10'000; ++i) {
      const double factor = schedule(i / 10'000.0);
      ASSERT_TRUE(factor >= 0 && factor <= 1) << text << " at " << i << ": " << factor;
    }
  }
}

TEST(Schedule, ExtremeArgumentsStayInRange) {
  for (const char* text : {"poly(power=1e-300)",
                           "poly(power=1e300)",
                           "exp(1e-300,full_epochs=1e300)",
                           "exp(1,full_epochs=1e300)",
                           "htd(-1000,1000)",
                           "uba(phi=1e-300)",
                           "uba(phi=1000000)",
                           "sgdr(1e-300,1)",
                           "sgdr(1e-300,2)",
                           "sgdr(1e300,1e300)",
                           "onecycle(peak=0)",
                           "onecycle(peak=100%)",
                           "onecycle(div=1e300,final_div=1e300)",
                           "onecycle(div=1,final_div=1,shape=linear)",
                           "wsd(decay=0)",
                           "flat-power(decay=0)",
                           "flat-power(power=1e300)",
                           "anytime(1e-300)",
                           "wsd(decay=100%)",
                           "step-d999",
                           "sgdr-r999",
                           "step(1e-300,gamma=1e-300)",
                           "linear(warmup=99.999999999999%)",
                           "linear(floor=100%)",
                           "const(warmup=1e-300,warmup_start=0)",
                           "inverse-sqrt(warmup=1e-300)"}) {
    const Schedule schedule = parse_schedule(text, cifar_context());
    for (int i = 0; i <= 7820; ++i) {
      const double factor = schedule(progress_at(i, 7820));
      ASSERT_TRUE(factor >= 0 && factor <= 1) << text << " at " << i << ": " << factor;
    }
  }
}

// bac makes any schedule a function of progress: the same at the same share of every budget. Of one that is
// so already it changes nothing, and cut at the full budget cuts nothing off.
TEST(Schedule, ConversionsGoBothWays) {
  for (const std::string& text : every_example()) {
    if (text.rfind("cut", 0) == 0 || text.rfind("bac", 0) == 0) continue;
    ScheduleContext full = cifar_context();
    full.updates = full.full_updates;
    const Schedule whole = parse_schedule(text, full), cut = parse_schedule("cut(" + text + ")", full);
    const Schedule converted = parse_schedule("bac(" + text + ")", cifar_context());
    ScheduleContext half = full;
    half.updates = full.full_updates / 2;
    const Schedule early = parse_schedule("cut(" + text + ")", half);
    for (int step = 0; step <= 782; ++step) {
      const double p = progress_at(step, 782);
      ASSERT_EQ(cut(p), whole(p)) << text << " " << step;
      ASSERT_EQ(converted(p), whole(p)) << text << " " << step;
      ASSERT_NEAR(early(p), whole(progress_at(step, 2 * 782)), 1e-12) << text << " " << step;
    }
  }
}

TEST(Schedule, BeginsAtBaseLrOrAtTheStartOfItsWarmUp) {
  for (const std::string& text : every_example()) {
    const double first = parse_schedule(text, cifar_context())(0);
    if (text.find("warmup") != std::string::npos || text.find("d2z") == 0 || text.find("inverse") == 0) {
      EXPECT_DOUBLE_EQ(first, 0.1) << text;
    } else if (text.find("onecycle") == 0) {
      EXPECT_NEAR(first, 1.0 / 25, 1e-15) << text;
    } else if (text.find("htd") == 0) {
      EXPECT_GT(first, 0.999) << text;
    } else {
      EXPECT_EQ(first, 1) << text;
    }
  }
}

TEST(Schedule, ThoseThatSayTheyLandOnZeroDoSoExactly) {
  int landed = 0;
  for (const ScheduleInfo& info : schedule_list()) {
    if (info.ends_at != "0") continue;
    EXPECT_EQ(parse_schedule(info.example, cifar_context())(1), 0) << info.example;
    ++landed;
  }
  EXPECT_GE(landed, 8);
  for (const char* text : {"linear(warmup=5%)", "cosine(warmup=500it)", "rex(warmup=2ep)",
                           "wsd(decay=30%,shape=cosine)", "sgdr-r5", "poly(power=0.3)", "uba(phi=0.1)"}) {
    EXPECT_EQ(parse_schedule(text, cifar_context())(1), 0) << text;
  }
}

TEST(Schedule, DecayingOnesNeverRise) {
  for (const char* text :
       {"const", "linear", "poly(power=2)", "cosine", "step-d2", "step(0.5,0.75)", "exp(0.97)", "htd(-6,3)",
        "htd(-4,4)", "rex", "uba(phi=0.5)", "wsd(decay=20%)", "flat-power", "anytime", "anytime(100it)",
        "cut(step-d2)", "cut(cosine)", "cosine(floor=10%)"}) {
    const Schedule schedule = parse_schedule(text, cifar_context());
    for (int i = 0; i < 10'000; ++i)
      ASSERT_GE(schedule(i / 10'000.0), schedule((i + 1) / 10'000.0)) << text << i;
  }
}

TEST(Schedule, EqualsItsClosedForm) {
  struct Case {
    const char* text;
    double progress, expected;
  };
  constexpr double kPi = 3.14159265358979323846;
  for (const Case& c : {Case{"linear", 0.25, 0.75},
                        {"poly", 0.5, std::pow(0.5, 0.9)},
                        {"poly(2)", 0.75, 0.0625},
                        {"cosine", 0.5, 0.5},
                        {"cosine", 1.0 / 3, 0.75},
                        {"step-d1", 0.499999, 1},
                        {"step-d1", 0.5, 0.1},
                        {"step-d2", 1.0 / 3, 0.1},
                        {"step-d2", 0.7, 0.01},
                        {"step(0.5,0.75)", 0.6, 0.1},
                        {"step(50%,75%,gamma=0.5)", 0.8, 0.25},
                        {"exp(0.97)", 0.5, std::pow(0.97, 100)},
                        {"exp(gamma=0.9,full_epochs=10)", 1, std::pow(0.9, 10)},
                        {"htd(-6,3)", 0, 0.5 * (1 - std::tanh(-6.0))},
                        {"htd(-6,3)", 1, 0.5 * (1 - std::tanh(3.0))},
                        {"htd(-4,4)", 0.5, 0.5},
                        {"rex", 0.5, 0.5 / 0.75},
                        {"uba(phi=2)", 1.0 / 3, 0.75},
                        {"uba(phi=1)", 0.5, 2.0 / 3},
                        {"sgdr-r2", 0.5, 0.5},
                        {"sgdr-r2", 0.5 / 3, 0.5},
                        {"sgdr-r2", 1.0 / 3, 1},
                        {"wsd(decay=20%,shape=linear)", 0.9, 0.5},
                        {"wsd", 0.85, 0.5},
                        {"wsd", 0.8, 1},
                        {"flat-power", 0.5, 1},
                        {"flat-power", 0.75, std::pow(0.5, 1.2)},
                        {"flat-power(decay=100%,power=2)", 0.75, 0.0625},
                        {"flat-power(decay=0)", 0.999, 1},
                        {"anytime", 0, 1},
                        {"anytime", 0.3, 0.5},
                        {"anytime(alpha=50%)", 1, std::sqrt(1.0 / 3)},
                        {"onecycle(peak=30%,div=25,final_div=10000)", 0.3, 1},
                        {"onecycle(peak=30%,shape=linear)", 0.15, (1.0 / 25 + 1) / 2},
                        {"onecycle", 1, 1 / 25e4},
                        {"inverse-sqrt(warmup=4%)", 0.16, 0.5},
                        {"d2z", 0.1, 1},
                        {"d2z", 0.55, 0.5},
                        {"linear(warmup=10%,warmup_start=0)", 0.05, 0.5},
                        {"linear(warmup=782it)", 0.55, 0.5},
                        {"linear(warmup=2ep)", 0.55, 0.5},
                        {"linear(floor=10%)", 0.5, 0.55},
                        {"linear(warmup=10%,floor=20%)", 0, 0.2},  // from the first update
                        {"linear(warmup=10%,floor=20%)", 0.05, 0.6},
                        {"linear(warmup=10%,floor=5%)", 0, 0.1},
                        {"linear(min_lr=0.01)", 1, 0.1},
                        {"cut(linear)", 1, 0.9},
                        {"cut(step-d2)", 1, 1},
                        {"bac(sgdr(10,2))", 0.025, 0.5 * (1 + std::cos(kPi * 0.5))},
                        {"sgdr(10,2)", 0.75, 0.5 * (1 + std::cos(kPi * 5 / 20))}}) {
    EXPECT_NEAR(parse_schedule(c.text, cifar_context())(c.progress), c.expected, 1e-12)
        << c.text << " at " << c.progress;
  }
}

// p = s / T is rounded, and so is every product with it: a drop computed from p alone comes one update late
// in one of a hundred lengths.
TEST(Schedule, ADropFallsOnItsVeryUpdateBehindAWarmUp) {
  for (int updates = 20; updates <= 600; ++updates) {
    for (const int warmup : {1, 3, 7, 10}) {
      if ((updates - warmup) % 3 != 0) continue;
      ScheduleContext context;
      context.updates = updates;
      const Schedule schedule = parse_schedule("step-d2(warmup=" + std::to_string(warmup) + "it)", context);
      const int drop = warmup + (updates - warmup) / 3;
      ASSERT_EQ(schedule(progress_at(drop - 1, updates)), 1) << updates << " " << warmup;
      ASSERT_DOUBLE_EQ(schedule(progress_at(drop, updates)), 0.1) << updates << " " << warmup;
    }
  }
}

TEST(Schedule, ADropFallsOnItsVeryUpdateWhenCut) {
  for (int full = 30; full <= 600; full += 3) {
    for (int updates = full / 3 + 1; updates < full; updates += 7) {
      ScheduleContext context;
      context.updates = updates;
      context.full_updates = full;
      const Schedule schedule = parse_schedule("cut(step-d2)", context);
      ASSERT_EQ(schedule(progress_at(full / 3 - 1, updates)), 1) << full << " " << updates;
      ASSERT_DOUBLE_EQ(schedule(progress_at(full / 3, updates)), 0.1) << full << " " << updates;
    }
  }
}

TEST(Schedule, RestartsFallOnTheirVeryUpdate) {
  for (int restarts = 1; restarts < 100; ++restarts) {
    const Schedule schedule = parse_schedule("sgdr-r" + std::to_string(restarts));
    for (int i = 1; i <= restarts; ++i) {
      ASSERT_EQ(schedule(progress_at(i * 10, (restarts + 1) * 10)), 1) << restarts << " " << i;
    }
  }
  for (int per_epoch = 1; per_epoch <= 40; ++per_epoch) {
    for (int epochs = 31; epochs < 70; ++epochs) {
      ScheduleContext context;
      context.updates = per_epoch * epochs;
      context.steps_per_epoch = per_epoch;
      const Schedule schedule = parse_schedule("sgdr(10,2)", context);
      for (const int restart : {10, 30}) {
        ASSERT_EQ(schedule(progress_at(restart * per_epoch, epochs * per_epoch)), 1)
            << per_epoch << " " << epochs;
      }
    }
  }
}

TEST(Schedule, EpochsOfSgdrStayEpochsBehindAWarmUp) {
  ScheduleContext context;
  context.updates = 350;
  context.steps_per_epoch = 10;
  const Schedule schedule = parse_schedule("sgdr(10,2,warmup=5ep)", context);
  EXPECT_EQ(schedule(progress_at(50, 350)), 1);
  EXPECT_NEAR(schedule(progress_at(100, 350)), 0.5, 1e-15);
  EXPECT_EQ(schedule(progress_at(150, 350)), 1);
  EXPECT_EQ(schedule(1), 0);  // its second cycle ends with the budget
  EXPECT_NEAR(parse_schedule("sgdr(0.001,1)", context)(0.5), 1, 1e-6);
}

TEST(Schedule, HugeCountsAndOneUpdate) {
  const Schedule linear = parse_schedule("linear");
  constexpr std::int64_t kHuge = 9'000'000'000'000'000;
  EXPECT_GT(linear(progress_at(kHuge - 1, kHuge)), 0);
  EXPECT_EQ(linear(progress_at(kHuge, kHuge)), 0);
  EXPECT_EQ(linear(progress_at(0, 1)), 1);
}

TEST(Schedule, ProgressOutsideItsRangeIsRefused) {
  const Schedule linear = parse_schedule("linear");
  EXPECT_THROW(linear(-1e-9), InputError);
  EXPECT_THROW(linear(1 + 1e-9), InputError);
  EXPECT_THROW(linear(std::numeric_limits<double>::quiet_NaN()), InputError);
}

TEST(Schedule, CanonicalTextReadsBackToTheSameFunction) {
  for (const std::string& text : every_example()) {
    const std::string canonical = canonical_schedule("  " + text + " ");
    EXPECT_EQ(canonical_schedule(canonical), canonical);
    const Schedule a = parse_schedule(text, cifar_context()), b = parse_schedule(canonical, cifar_context());
    for (int i = 0; i <= 100; ++i) EXPECT_EQ(a(i / 100.0), b(i / 100.0)) << text;
  }
}

TEST(Schedule, EverySpellingHasOneCanonicalText) {
  struct Case {
    const char *text, *canonical;
  };
  for (const Case& c : {Case{"poly( 2 )", "poly(power=2)"},
                        {"poly(power=2.0)", "poly(power=2)"},
                        {"poly(0.9)", "poly"},
                        {"linear()", "linear"},
                        {"exp(.97)", "exp(0.97)"},
                        {"exp(gamma=0.97,full_epochs=200)", "exp(0.97)"},
                        {"exp(0.97,100)", "exp(0.97,full_epochs=100)"},
                        {"htd", "htd(-6,3)"},
                        {"htd(U=3, L=-6)", "htd(-6,3)"},
                        {"sgdr", "sgdr(10,2)"},
                        {"step(50%, 75%, gamma=0.1)", "step(0.5,0.75)"},
                        {"step(0.5,gamma=0.2)", "step(0.5,gamma=0.2)"},
                        {"wsd(0.3,linear)", "wsd(decay=30%,shape=linear)"},
                        {"linear(warmup=0.05)", "linear(warmup=5%)"},
                        {"linear(warmup=7%)", "linear(warmup=7%)"},
                        {"linear(warmup=500it,warmup_start=0)", "linear(warmup=500it,warmup_start=0%)"},
                        {"d2z(warmup=10%)", "d2z"},
                        {"cosine(min_lr=1e-5)", "cosine(min_lr=1e-05)"},
                        {"cut( step( 50% ) )", "cut(step(0.5))"},
                        {"bac(schedule=sgdr(10,2))", "bac(sgdr(10,2))"},
                        {"plateau(patience=0.1)", "plateau(patience=10%)"}}) {
    EXPECT_EQ(canonical_schedule(c.text), c.canonical) << c.text;
    EXPECT_EQ(canonical_schedule(c.canonical), c.canonical);
    EXPECT_EQ(parse_schedule(c.text, cifar_context()).text(), c.canonical);
  }
}

TEST(Schedule, WrongTextsAreNamedWithWhatIsRight) {
  struct Case {
    const char *text, *message;
  };
  for (const Case& c : {
           Case{"linaer",
                "\"linaer\": unknown schedule \"linaer\"; the nearest is linear; `glidepath schedules` lists "
                "all"},
           {"", "\"\": empty; give a schedule, for example linear or poly(power=2)"},
           {"poly(power=0)", "\"poly(power=0)\": power \"0\" must be a number above 0"},
           {"poly(power=nan)", "\"poly(power=nan)\": power \"nan\" must be a number above 0"},
           {"poly(power=2", "\"poly(power=2\": a parenthesis is not closed"},
           {"poly(power=2)x", "\"poly(power=2)x\": nothing may follow the closing parenthesis"},
           {"poly(2,power=2)", "\"poly(2,power=2)\": poly takes no further argument \"2\""},
           {"poly(power=2,power=2)", "\"poly(power=2,power=2)\": power is given twice"},
           {"poly(,)", "\"poly(,)\": an argument is empty"},
           {"linear(power=2)",
            "\"linear(power=2)\": linear has no argument \"power\"; it has warmup, warmup_start, floor, "
            "min_lr"},
           {"step", "\"step\": needs milestones, for example step(0.5,0.75)"},
           {"step(0.75,0.5)", "\"step(0.75,0.5)\": milestones must rise"},
           {"step(2)",
            "\"step(2)\": milestone \"2\" must be a share of the budget in (0, 1), for example 0.5 or 50%"},
           {"htd(3,-6)", "\"htd(3,-6)\": L must be below U, for example htd(-6,3)"},
           {"wsd(decay=120%)",
            "\"wsd(decay=120%)\": decay \"120%\" must be a share in [0, 1], for example 20% or 0.2"},
           {"anytime(0it)", "\"anytime(0it)\": alpha must be above 0, for example 10% or 500it"},
           {"anytime(0%)", "\"anytime(0%)\": alpha must be above 0, for example 10% or 500it"},
           {"anytime(soon)",
            "\"anytime(soon)\": alpha \"soon\" must be a share or a length, for example 5%, 500it or 2ep"},
           {"flat-power(power=0)", "\"flat-power(power=0)\": power \"0\" must be a number above 0"},
           {"wsd(shape=round)", "\"wsd(shape=round)\": shape \"round\" must be one of sqrt, linear, cosine"},
           {"linear(warmup=10k)",
            "\"linear(warmup=10k)\": warmup \"10k\" must be a share or a length, for example 5%, 500it or "
            "2ep"},
           {"linear(warmup=9000it)",
            "\"linear(warmup=9000it)\": warmup \"9000it\" takes 115 % of the budget; it must leave "
            "some for training, for example 5%"},
           {"linear(min_lr=1)", "\"linear(min_lr=1)\": min_lr 1 is above base_lr 0.1"},
           {"linear(min_lr=0.01,floor=1%)",
            "\"linear(min_lr=0.01,floor=1%)\": give floor or min_lr, not both"},
           {"sgdr(10,1.5)", "\"sgdr(10,1.5)\": Tmult \"1.5\" must be a whole number, for example sgdr(10,2)"},
           {"uba(phi=1e308)", "\"uba(phi=1e308)\": phi \"1e308\" must be a number in (0, 1000000]"},
           {"htd(-1e308,1e308)", "\"htd(-1e308,1e308)\": L \"-1e308\" must be a number in [-1000, 1000]"},
           {"poly(power=1e999)", "\"poly(power=1e999)\": power \"1e999\" must be a number above 0"},
           {"poly(power=1e)", "\"poly(power=1e)\": power \"1e\" must be a number above 0"},
           {"cut(bac(linear))", "\"cut(bac(linear))\": bac inside cut means nothing; give one of them alone"},
           {"cut(plateau)", "\"plateau\": plateau follows the loss and cannot be inside another schedule"},
           {"cut(linear(warmup=10%))",
            "\"cut(linear(warmup=10%))\": the warm-up takes 7820 updates of the full budget and this budget "
            "has "
            "7820; shorten it"},
           {"cut", "\"cut\": needs a schedule, for example cut(step-d2)"},
           {"step-d0",
            "\"step-d0\": unknown schedule \"step-d0\"; the nearest is step-d2; `glidepath schedules` lists "
            "all"},
       }) {
    EXPECT_EQ(message_of(c.text), c.message);
  }
}

TEST(Schedule, NeedsOfTheRunAreSaidNotGuessed) {
  EXPECT_THAT(message_of("sgdr(10,2)", {}),
              testing::HasSubstr("needs a budget in updates, epochs or percent"));
  EXPECT_THAT(message_of("cut(linear)", {}), testing::HasSubstr("needs the full budget (--full)"));
  EXPECT_THAT(message_of("linear(warmup=500it)", {}), testing::HasSubstr("give warmup=5%"));
  EXPECT_EQ(message_of("linear(warmup=5%)", {}), "no error");
}

TEST(Schedule, AContextThatIsNoRunIsRefused) {
  ScheduleContext context;
  context.updates = -5;
  EXPECT_EQ(message_of("linear", context), "updates -5: must be a number above 0, or 0 when unknown");
  context.updates = 0;
  context.base_lr = 0;
  EXPECT_EQ(message_of("linear", context), "base_lr 0: must be a number above 0");
}

TEST(Schedule, PlateauHasNoValueAtAProgress) {
  const Schedule schedule = parse_schedule("plateau(factor=0.5)");
  ASSERT_TRUE(schedule.plateau().has_value());
  EXPECT_EQ(schedule.plateau()->factor, 0.5);
  EXPECT_THROW(schedule(0.5), InputError);
  EXPECT_FALSE(parse_schedule("linear").plateau().has_value());
}

}  // namespace
}  // namespace glidepath
