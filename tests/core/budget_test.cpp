// tests/core/budget_test.cpp - budgets as text, and the updates they buy.
#include "glidepath/budget.h"

#include <gtest/gtest.h>

#include "glidepath/error.h"

namespace glidepath {
namespace {

TEST(Budget, ReadsEveryUnit) {
  struct Case {
    const char* text;
    BudgetUnit unit;
    double amount;
  };
  for (const Case& c : {Case{"500it", BudgetUnit::kIterations, 500},
                        {"30ep", BudgetUnit::kEpochs, 30},
                        {"0.5ep", BudgetUnit::kEpochs, 0.5},
                        {"10%", BudgetUnit::kPercent, 10},
                        {"0.1%", BudgetUnit::kPercent, 0.1},
                        {"45m", BudgetUnit::kSeconds, 2700},
                        {"90m", BudgetUnit::kSeconds, 5400},
                        {"36h", BudgetUnit::kSeconds, 129600},
                        {"1h30m", BudgetUnit::kSeconds, 5400},
                        {"1h30m10s", BudgetUnit::kSeconds, 5410},
                        {"2e15flop", BudgetUnit::kFlops, 2e15}}) {
    const Budget budget = parse_budget(c.text);
    EXPECT_EQ(budget.unit, c.unit) << c.text;
    EXPECT_DOUBLE_EQ(budget.amount, c.amount) << c.text;
    EXPECT_EQ(parse_budget(to_string(budget)), budget) << c.text << " as " << to_string(budget);
  }
}

TEST(Budget, RefusesWhatIsNotOne) {
  for (const char* text :
       {"",    " ",     "30",   "30x",  "ep",     "-5ep", "0it",   "1.5it",  "nan%",  "inf%", "1e400ep",
        "10k", "30m1h", "1h30", "10%%", "5ep3ep", "1h1h", "1,5ep", "0x10it", "--5it", "it30"}) {
    EXPECT_THROW(parse_budget(text), InputError) << text;
  }
}

TEST(Budget, ErrorNamesTheTextAndWhatIsRight) {
  try {
    parse_budget("30x");
    FAIL();
  } catch (const InputError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("\"30x\""), std::string::npos) << message;
    EXPECT_NE(message.find("30ep"), std::string::npos) << message;
  }
}

TEST(Budget, BuysTheUpdatesOfThePapersProtocol) {
  BudgetContext context;
  context.steps_per_epoch = 391;
  struct Case {
    const char* text;
    std::int64_t updates;
  };
  for (const Case& c : {Case{"1%", 782},
                        {"5%", 3910},
                        {"100%", 78200},
                        {"0.1ep", 39},
                        {"200ep", 78200},
                        {"1it", 1},
                        {"0.0001%", 1},
                        {"150%", 117300}}) {
    EXPECT_EQ(updates_in(parse_budget(c.text), context), c.updates) << c.text;
  }
  context.full = parse_budget("1000it");
  EXPECT_EQ(updates_in(parse_budget("25%"), context), 250);
  context.flops_per_step = 1e12;
  EXPECT_EQ(updates_in(parse_budget("2e15flop"), context), 2000);
}

TEST(Budget, WhatCannotBeCountedIsSaid) {
  BudgetContext context;
  context.steps_per_epoch = 391;
  EXPECT_THROW(updates_in(parse_budget("45m"), context), InputError);
  EXPECT_THROW(updates_in(parse_budget("1e12flop"), context), InputError);
  context.full = parse_budget("10%");
  EXPECT_THROW(updates_in(parse_budget("10%"), context), InputError);
  context.steps_per_epoch = 0;
  EXPECT_THROW(updates_in(parse_budget("1ep"), context), InputError);
}

TEST(Progress, IsSpentOverBudget) {
  EXPECT_EQ(progress_at(0, 10), 0);
  EXPECT_EQ(progress_at(5, 10), 0.5);
  EXPECT_EQ(progress_at(10, 10), 1);
  EXPECT_THROW(progress_at(11, 10), InputError);
  EXPECT_THROW(progress_at(-1, 10), InputError);
  EXPECT_THROW(progress_at(0, 0), InputError);
}

}  // namespace
}  // namespace glidepath
