// tests/cli/plan_test.cpp - `glidepath plan`: of a file, and of a real study.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using PlanCommand = CliTest;

// Of golden.csv: paper-imagenet/linear, 1 to 25 %, at 100 %; with errors as exact as there.
TEST_F(PlanCommand, ForetellsACurve) {
  write("runs.csv", "budget,score,std,n\n1%,30.63,0,9\n5%,57.26,0,9\n10%,62.32,0,9\n25%,66.34,0,9\n");
  const ProcessResult json =
      shell("glidepath plan --curve runs.csv --chance 0.1 --at 100% --target 68% --json");
  ASSERT_EQ(json.exit_status, 0) << json.err;
  const auto plan = nlohmann::json::parse(json.out);
  EXPECT_EQ(plan.at("unit"), "%");
  ASSERT_EQ(plan.at("predictions").size(), 1U);
  const auto& full = plan.at("predictions")[0];
  EXPECT_EQ(full.at("budget"), 100);
  EXPECT_NEAR(full.at("score").get<double>(), 100 - 31.794, 0.02);
  EXPECT_NEAR(full.at("high").get<double>(), 100 - 28.403, 0.02);
  EXPECT_NEAR(full.at("low").get<double>(), 100 - 35.566, 0.02);
  EXPECT_EQ(plan.at("target").at("score"), 68);
  EXPECT_GT(plan.at("target").at("budget_50").get<double>(), 50);
  EXPECT_LT(plan.at("target").at("budget_50").get<double>(), 100);
  EXPECT_TRUE(plan.at("target").at("budget_90").is_null());

  const ProcessResult text = shell("glidepath plan --curve runs.csv --chance 0.1 --target 68%");
  ASSERT_EQ(text.exit_status, 0) << text.err;
  EXPECT_THAT(text.out,
              StartsWith("runs.csv\nmeasured  1% 30.63 %  5% 57.26 %  10% 62.32 %  25% 66.34 %\n50% would "
                         "reach 67.56 % (90 % interval: 65.48 % to 69.53 %)"));
  EXPECT_THAT(text.out, HasSubstr("100% would reach 68.21 %"));
  EXPECT_THAT(text.out, HasSubstr("\n68.00 %: with even odds by "));
}

TEST_F(PlanCommand, ForetellsAStudy) {
  write(
      "study.toml",
      "name = \"small\"\n[base]\ndata = \"digits\"\nmodel = \"mlp\"\nfull = \"10ep\"\neval_every = \"end\"\n"
      "[grid]\nschedule = [\"linear\", \"const\"]\nbudget = [\"2%\", \"5%\", \"10%\", \"20%\"]\nseed = [1, "
      "2]\n");
  ASSERT_EQ(shell("glidepath study study.toml --out out --quiet").exit_status, 0);
  const ProcessResult json = shell("glidepath plan out --at 100% --json");
  ASSERT_EQ(json.exit_status, 0) << json.err;
  const auto plan = nlohmann::json::parse(json.out);
  ASSERT_EQ(plan.at("measured").size(), 4U);
  EXPECT_EQ(plan.at("measured")[3].at("runs"), 2);
  EXPECT_GT(plan.at("predictions")[0].at("score"), plan.at("measured")[3].at("score"));

  // The same numbers as a file have the same forecast.
  std::string csv = "budget,score,std,n\n";
  for (const auto& each : plan.at("measured")) {
    csv += each.at("budget").dump() + "%," + each.at("score").dump() + "%," + each.at("std").dump() + "," +
           each.at("runs").dump() + "\n";
  }
  write("same.csv", csv);
  const ProcessResult same = shell("glidepath plan --curve same.csv --chance 10 --at 100% --json");
  ASSERT_EQ(same.exit_status, 0) << same.err;
  EXPECT_NEAR(nlohmann::json::parse(same.out).at("predictions")[0].at("score").get<double>(),
              plan.at("predictions")[0].at("score").get<double>(), 1e-6);

  // A budget of 100 % are 10 epochs of 12 updates; the time is that of the runs, and 3600 an hour are 1 a
  // second.
  const ProcessResult costs = shell("glidepath plan out --at 100% --relative 95% --price 3600/h --json");
  ASSERT_EQ(costs.exit_status, 0) << costs.err;
  const auto priced = nlohmann::json::parse(costs.out);
  const auto& full = priced.at("predictions")[0].at("cost");
  EXPECT_DOUBLE_EQ(full.at("epochs").get<double>(), 10);
  EXPECT_DOUBLE_EQ(full.at("updates").get<double>(), 120);
  EXPECT_GT(full.at("seconds").get<double>(), 0);
  EXPECT_DOUBLE_EQ(full.at("price").get<double>(), full.at("seconds").get<double>());
  const auto& relative = priced.at("relative");
  EXPECT_EQ(relative.at("full"), 100);
  EXPECT_LT(relative.at("budget_50"), relative.at("budget_90"));
  EXPECT_LT(relative.at("budget_90"), 100);
  EXPECT_THAT(priced.at("warnings")[0].get<std::string>(), StartsWith("the smallest budget buys 2 updates"));
  const ProcessResult told = shell("glidepath plan out --relative 95%");
  EXPECT_THAT(told.out, HasSubstr("100% (10 epochs, 120 updates, "));
  EXPECT_THAT(told.out, HasSubstr("\n95 % of what 100% reaches: with even odds by "));

  const ProcessResult constant = shell("glidepath plan out --schedule const");
  ASSERT_EQ(constant.exit_status, 0) << constant.err;
  EXPECT_THAT(constant.out, HasSubstr("\nwarning: const does not anneal"));
  const ProcessResult none = shell("glidepath plan out --schedule cosine");
  EXPECT_EQ(none.exit_status, 2);
  EXPECT_EQ(none.err, "glidepath plan: schedule \"cosine\": is no row of the study; it has linear, const\n");
}

TEST_F(PlanCommand, PricesTimes) {
  write("times.csv", "budget,score\n30m,40\n1h,50\n2h,60\n");
  const ProcessResult result =
      shell("glidepath plan --curve times.csv --at 10h --full 10h --relative 90% --price 2.10/h");
  ASSERT_EQ(result.exit_status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\n10h (price 21.00) would reach "));
  EXPECT_THAT(result.out, HasSubstr("\n90 % of what 10h reaches: with even odds by "));
  EXPECT_THAT(result.out, HasSubstr("\nwarning: noise assumed"));
}

}  // namespace
}  // namespace glidepath
