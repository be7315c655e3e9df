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
                        {"2e15flop", BudgetUnit::kFlops, 2e15},
                        {"5e6tok", BudgetUnit::kTokens, 5e6},
                        {"1003854tok", BudgetUnit::kTokens, 1003854}}) {
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

TEST(Budget, ErrorsSayWhatIsWrongAndWhatIsRight) {
  struct Case {
    const char *text, *message;
  };
  for (const Case& c :
       {Case{"30x",
             "\"30x\": unknown unit \"x\"; use it, ep, %, h, m, s, tok or flop, for example 30ep or 1h30m"},
        {"10k",
         "\"10k\": unknown unit \"k\"; use it, ep, %, h, m, s, tok or flop, for example 30ep or 1h30m"},
        {"1e", "\"1e\": unknown unit \"e\"; write ep, for example 1ep"},
        {"30", "\"30\": no unit; add it, ep, %, h, m, s, tok or flop, for example 30ep or 30%"},
        {"",
         "\"\": nothing where a number should be; a budget is a number and a unit, for example 500it, 30ep, "
         "10% or 1h30m"},
        {"inf%",
         "\"inf%\": \"inf%\" where a number should be; a budget is a number and a unit, for example 500it, "
         "30ep, 10% or 1h30m"},
        {"1e400ep", "\"1e400ep\": \"1e400\" is not a number that can be used, for example 30ep"},
        {"0%", "\"0%\": a budget must be above 0, for example 30ep"},
        {"-5ep", "\"-5ep\": a budget must be above 0, for example 30ep"},
        {"1.5it", "\"1.5it\": iterations must be a whole number, for example 500it"},
        {"1e16it", "\"1e16it\": more than 9007199254740992 iterations"},
        {"30m1h", "\"30m1h\": hours, minutes and seconds must come in this order, each once"},
        {"1.5h30m",
         "\"1.5h30m\": only the last of hours, minutes and seconds can be a fraction, for example 1h30m"},
        {"5ep30m",
         "\"5ep30m\": two amounts; only hours, minutes and seconds can be joined, for example 1h30m"}}) {
    try {
      parse_budget(c.text);
      ADD_FAILURE() << c.text;
    } catch (const InputError& error) {
      EXPECT_STREQ(error.what(), c.message);
    }
  }
}

TEST(Budget, TextIsTheShortestThatReadsBack) {
  struct Case {
    const char *text, *shortest;
  };
  for (const Case& c : {Case{"60m", "1h"},
                        {"1h30m", "90m"},
                        {"90s", "90s"},
                        {"60s", "1m"},
                        {"3661s", "3661s"},
                        {"1.5h", "90m"},
                        {"0.5s", "0.5s"},
                        {"200ep", "200ep"},
                        {"0.10%", "0.1%"},
                        {"2e15flop", "2e15flop"},
                        {"1e3it", "1000it"},
                        {"1.5e9flop", "1.5e9flop"},
                        {"5flop", "5e0flop"},
                        {"5000000tok", "5e6tok"}}) {
    EXPECT_EQ(to_string(parse_budget(c.text)), c.shortest) << c.text;
    EXPECT_EQ(parse_budget(c.shortest), parse_budget(c.text)) << c.text;
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

// 100 windows of 128 tokens, 32 at a time: three whole batches, and one of 4.
TEST(Budget, TokensCountAnEpochsLastAndSmallerBatchAsWhatItIs) {
  BudgetContext context;
  context.steps_per_epoch = 4;
  context.tokens_per_step = 32 * 128;
  context.tokens_per_epoch = 100 * 128;
  EXPECT_EQ(updates_in(parse_budget("12800tok"), context), 4);
  EXPECT_EQ(updates_in(parse_budget("12288tok"), context), 3);
  EXPECT_EQ(updates_in(parse_budget("128000tok"), context), 40);
  context.full = parse_budget("128000tok");
  EXPECT_EQ(updates_in(parse_budget("10%"), context), 4);
}

TEST(Budget, WhatCannotBeCountedIsSaid) {
  BudgetContext context;
  context.steps_per_epoch = 391;
  EXPECT_THROW(updates_in(parse_budget("45m"), context), InputError);
  EXPECT_THROW(updates_in(parse_budget("1e12flop"), context), InputError);
  EXPECT_THROW(updates_in(parse_budget("1e6tok"), context), InputError);
  context.full = parse_budget("10%");
  EXPECT_THROW(updates_in(parse_budget("10%"), context), InputError);
  context.steps_per_epoch = 0;
  EXPECT_THROW(updates_in(parse_budget("1ep"), context), InputError);
}

// 1,437 images in batches of 64 are 22 whole batches and one of 29.
TEST(Budget, FlopsCountAnEpochsLastAndSmallerBatchAsWhatItIs) {
  BudgetContext context;
  context.steps_per_epoch = 23;
  context.flops_per_step = 64 * 1e6;
  context.flops_per_epoch = 1437 * 1e6;
  struct Case {
    std::int64_t step;
    double images;
  };
  for (const Case& c : {Case{0, 0}, {1, 64}, {22, 1408}, {23, 1437}, {24, 1501}, {46, 2874}}) {
    EXPECT_EQ(flops_of(c.step, context), c.images * 1e6) << c.step;
    if (c.step > 0) {
      EXPECT_EQ(updates_in({BudgetUnit::kFlops, c.images * 1e6}, context), c.step);
    }
  }
  EXPECT_EQ(updates_in({BudgetUnit::kFlops, 1000 * 1437 * 1e6}, context), 23000);
  context.flops_per_epoch = 0;
  EXPECT_EQ(flops_of(23, context), 23 * 64 * 1e6);
}

TEST(Budget, PercentOfAFullBudgetInTimeIsTime) {
  const Budget full = parse_budget("2h");
  EXPECT_EQ(resolve_percent(parse_budget("10%"), full), parse_budget("12m"));
  EXPECT_EQ(resolve_percent(parse_budget("30ep"), full), parse_budget("30ep"));
  EXPECT_EQ(resolve_percent(parse_budget("10%"), parse_budget("200ep")), parse_budget("10%"));
  EXPECT_THROW(resolve_percent(parse_budget("10%"), parse_budget("50%")), InputError);
  BudgetContext context;
  context.steps_per_epoch = 391;
  context.full = full;
  EXPECT_THROW(updates_in(parse_budget("10%"), context), InputError);
  context.full = parse_budget("1e15flop");
  context.flops_per_step = 1e12;
  EXPECT_EQ(updates_in(parse_budget("10%"), context), 100);
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
