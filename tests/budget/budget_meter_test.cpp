// tests/loop/budget_meter_test.cpp - budgets counted in updates and by a clock of the test's own.
#include "budget/budget_meter.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

BudgetContext cifar_context() {
  BudgetContext context;
  context.steps_per_epoch = 391;
  context.full = {BudgetUnit::kEpochs, 200};
  return context;
}

TEST(BudgetMeter, MakesExactlyTheUpdatesThatTheBudgetBuys) {
  struct Case {
    const char* budget;
    std::int64_t updates;
  };
  for (const Case& c : {Case{"1%", 782}, {"0.1ep", 39}, {"1it", 1}, {"2.5ep", 978}, {"100%", 78200}}) {
    SCOPED_TRACE(c.budget);
    BudgetMeter meter(parse_budget(c.budget), cifar_context(), 0, 0);
    std::int64_t made = 0;
    double last = -1;
    while (!meter.finished()) {
      ASSERT_GT(meter.progress(), last);
      last = meter.progress();
      meter.update_done(0.01);
      ++made;
    }
    EXPECT_EQ(made, c.updates);
    EXPECT_EQ(meter.progress(), 1);
    EXPECT_DOUBLE_EQ(last, static_cast<double>(c.updates - 1) / static_cast<double>(c.updates));
  }
}

TEST(BudgetMeter, ResumedRunHasWhatIsLeft) {
  BudgetMeter meter(parse_budget("100it"), cifar_context(), 60, 12.0);
  std::int64_t made = 0;
  for (; !meter.finished(); ++made) meter.update_done(0.1);
  EXPECT_EQ(made, 40);
}

}  // namespace
}  // namespace glidepath
