// tests/cli/rank_test.cpp - `glidepath rank` on a real study.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using RankCommand = CliTest;

TEST_F(RankCommand, OrdersTheModelsOfAStudy) {
  write(
      "study.toml",
      "name = \"rates\"\n[base]\ndata = \"digits\"\nmodel = \"mlp\"\nfull = \"10ep\"\neval_every = \"end\"\n"
      "schedule = \"linear\"\n[grid]\nbase_lr = [0.1, 0.0001]\nbudget = [\"10%\", \"20%\", \"40%\"]\n"
      "seed = [1, 2, 3]\n");
  ASSERT_EQ(shell("glidepath study study.toml --out out --quiet").exit_status, 0);
  const ProcessResult text = shell("glidepath rank out --rows base_lr");
  ASSERT_EQ(text.exit_status, 0) << text.err;
  EXPECT_THAT(text.out,
              StartsWith("order by test accuracy at 40%, the largest budget that all have\nrank  base_lr"));
  EXPECT_THAT(text.out, HasSubstr("\n1     0.1 "));
  EXPECT_THAT(text.out, HasSubstr("\nP(row is better than column) at 100%\n"));
  EXPECT_THAT(text.out, HasSubstr("\n100% itself, every row and seed: 6 more runs, "));

  const ProcessResult json = shell("glidepath rank out --rows base_lr --at 40% --json");
  ASSERT_EQ(json.exit_status, 0) << json.err;
  const auto ranking = nlohmann::json::parse(json.out).at("rankings").at(0);
  EXPECT_EQ(ranking.at("axis"), "base_lr");
  ASSERT_EQ(ranking.at("rows").size(), 2U);
  EXPECT_EQ(ranking.at("rows")[0].at("name"), "0.1");
  EXPECT_EQ(ranking.at("pairs")[0].at("seeds"), 3);
  EXPECT_NEAR(ranking.at("beats")[0][1].get<double>() + ranking.at("beats")[1][0].get<double>(), 1, 1e-12);

  const ProcessResult wrong = shell("glidepath rank out --rows model");
  EXPECT_EQ(wrong.exit_status, 2);
  EXPECT_THAT(wrong.err,
              HasSubstr("--rows \"model\": not an axis of this study; its axes are base_lr, budget, seed"));
}

// A scripted module in the grid, and no --rows: a union's rows say what their widths are.
TEST_F(RankCommand, OrdersArchitecturesOfAUnion) {
  write("study.toml",
        "name = \"nets\"\n[base]\ndata = \"digits\"\nfull = \"4it\"\n"
        "batch_size = 32\neval_every = \"end\"\nschedule = \"linear\"\n"
        "[[grid]]\nmodel = [\"mlp\", \"script:" GLIDEPATH_TEST_DATA
        "/nn/script.pt\"]\nbudget = [\"50%\", \"100%\"]\nseed = [1, 2]\n[[grid]]\nmodel = \"mlp\"\nwidth = "
        "0.5\nbudget = [\"50%\", \"100%\"]\nseed = [1, 2]\n");
  const ProcessResult ran = shell("glidepath study study.toml --out out --quiet");
  ASSERT_EQ(ran.exit_status, 0) << ran.err;
  const ProcessResult text = shell("glidepath rank out");
  ASSERT_EQ(text.exit_status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("mlp, width 0.5 "));
  EXPECT_THAT(text.out, HasSubstr("script.pt "));
}

TEST_F(RankCommand, RunsSeedsAndBudgetsUntilTheBestIsTold) {
  write("study.toml",
        "name = \"rates\"\n[base]\ndata = \"digits\"\nmodel = \"mlp\"\nfull = \"5ep\"\neval_every = \"end\"\n"
        "schedule = \"linear\"\n[grid]\nbase_lr = [0.1, 0.001]\nbudget = [\"20%\", \"40%\"]\nseed = [1]\n");
  ASSERT_EQ(shell("glidepath study study.toml --out out --quiet").exit_status, 0);
  const std::string until = "glidepath rank out --rows base_lr --until 90% ";
  const ProcessResult few = shell(until + "--max-runs 1");
  ASSERT_EQ(few.exit_status, 0) << few.err;
  EXPECT_THAT(few.out, HasSubstr("\nP = 90 % is not reached after 0 more runs: the next would be more than "
                                 "--max-runs\n"));
  // Killed on the way: what is there stays, and the rest is done then.
  shell("timeout -s KILL 0.7 " + until + "--jobs 1");
  const ProcessResult all = shell(until + "--json --quiet");
  ASSERT_EQ(all.exit_status, 0) << all.err;
  EXPECT_EQ(all.err, "");
  const auto json = nlohmann::json::parse(all.out);
  EXPECT_TRUE(json.at("until").at("reached").get<bool>());
  EXPECT_TRUE(json.at("until").at("stopped_by").is_null());
  EXPECT_EQ(json.at("rankings").at(0).at("rows")[0].at("name"), "0.1");
  EXPECT_GE(json.at("rankings").at(0).at("beats")[0][1].get<double>(), 0.9);
  EXPECT_GE(json.at("rankings").at(0).at("pairs")[0].at("seeds").get<int>(), 2);
  // Once it is told, nothing is run.
  const ProcessResult again = shell(until);
  EXPECT_EQ(again.err, "");
  EXPECT_THAT(again.out,
              HasSubstr("\nP = 90 % of the best against each other is reached, after 0 more runs\n"));

  write("runs.csv", "budget,model,accuracy\n5%,a,50\n5%,b,51\n");
  ASSERT_EQ(shell("glidepath import runs.csv --score accuracy --out mine").exit_status, 0);
  const ProcessResult imported = shell("glidepath rank mine --rows model --at 10% --until 95%");
  EXPECT_EQ(imported.exit_status, 2);
  EXPECT_THAT(imported.err,
              HasSubstr("mine: was made of results, not of a study file; there is nothing to go on with"));
}

}  // namespace
}  // namespace glidepath
