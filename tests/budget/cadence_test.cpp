// tests/budget/cadence_test.cpp - moments by updates, share and seconds.
#include "budget/cadence.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

Cadence every(const char* text) {
  BudgetContext context;
  context.steps_per_epoch = 10;
  return {parse_budget(text), context};
}

TEST(Cadence, PassesEveryMomentOnce) {
  const Cadence points = Cadence::points(20);
  EXPECT_EQ(points.passed(0, 0), 0);
  EXPECT_EQ(points.passed(4, 0.04), 0);
  for (int k = 0; k <= 20; ++k)
    EXPECT_EQ(points.passed(k * 39, k / 20.0), k) << k;  // every k / 20 is reached
  EXPECT_EQ(points.passed(10, 1), 20);
  const Cadence epochs = every("2ep");
  EXPECT_EQ(epochs.passed(19, 0.5), 0);
  EXPECT_EQ(epochs.passed(20, 0.5), 1);
  EXPECT_EQ(every("5%").passed(1, 0.15), 3);
  EXPECT_EQ(every("30s").passed(1000, 1), 0);
  EXPECT_EQ(Cadence().passed(1000, 1), 0);
}

TEST(Cadence, IsDueByUpdatesShareOrSeconds) {
  const Cadence by_updates = every("5it"), by_epochs = every("1ep"), by_share = every("10%"),
                by_time = every("30s");
  EXPECT_FALSE(by_updates.is_due({4, 0, 1e9}, {}));
  EXPECT_TRUE(by_updates.is_due({5, 0, 0}, {}));
  EXPECT_TRUE(by_updates.is_due({11, 0, 0}, {9, 0, 0}));
  EXPECT_FALSE(by_updates.is_due({9, 0, 0}, {6, 0, 0}));
  EXPECT_FALSE(by_epochs.is_due({9, 0, 0}, {}));
  EXPECT_TRUE(by_epochs.is_due({10, 0, 0}, {}));
  EXPECT_TRUE(by_share.is_due({1, 0.1, 0}, {0, 0.09, 0}));
  EXPECT_FALSE(by_share.is_due({1, 0.19, 0}, {0, 0.1, 0}));
  EXPECT_FALSE(by_time.is_due({1, 0, 29.9}, {}));
  EXPECT_TRUE(by_time.is_due({1, 0, 30}, {}));
  EXPECT_FALSE(by_time.is_due({3, 0, 99}, {3, 0, 0}));  // nothing new
  EXPECT_FALSE(Cadence().is_due({9, 1, 1e9}, {}));
}

TEST(Cadence, CountsTheMomentsOfAWholeRun) {
  EXPECT_EQ(every("2ep").moments(200), 11);
  EXPECT_EQ(every("2ep").moments(205), 12);
  EXPECT_EQ(Cadence::points(20).moments(1000), 21);
  EXPECT_EQ(Cadence::points(20).moments(5), 6);
  EXPECT_EQ(Cadence().moments(5), 1);
  EXPECT_EQ(every("5it").moments_between(10), 1);  // behind 5; 10 is the end
  EXPECT_EQ(every("5it").moments_between(11), 2);
  EXPECT_EQ(every("25%").moments_between(100), 3);
  EXPECT_EQ(every("30%").moments_between(100), 3);
  EXPECT_EQ(Cadence().moments_between(100), 0);
}

TEST(Cadence, NeedsWhatItsUnitSpeaksOf) {
  EXPECT_THROW(Cadence(parse_budget("1ep"), BudgetContext()), InputError);
}

}  // namespace
}  // namespace glidepath
