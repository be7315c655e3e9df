// tests/cli/pilot_test.cpp - `glidepath pilot`, and the plan of what it ran.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/support.h"

namespace glidepath {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using PilotCommand = CliTest;

TEST_F(PilotCommand, PlansByOneRunOfCyclesASeed) {
  write("run.toml", "data = \"digits\"\nmodel = \"mlp\"\nbudget = \"40ep\"\nbatch_size = 32\nthreads = 1\n");
  const std::string pilot = "glidepath pilot run.toml --out out --seeds 2 --jobs 1";
  // Killed on the way: it goes on.
  shell("timeout -s KILL 1 " + pilot);
  const ProcessResult told = shell(pilot);
  ASSERT_EQ(told.exit_status, 0) << told.err;
  EXPECT_THAT(told.err, StartsWith("2 runs of 25% of 40ep, annealed at 1.562%, 3.125%, 6.25%, 12.5%, 25%\n"));
  EXPECT_THAT(told.out, StartsWith("pilot, annealed cycles\nmeasured  1.56% "));
  EXPECT_THAT(told.out, HasSubstr("\n100% (40 epochs, 1800 updates, "));
  EXPECT_THAT(told.out, HasSubstr("\nmore of it: glidepath plan out --target 70% --price 2.10/h\n"));
  // Done, it is not done again, and the plan reads the folder.
  const ProcessResult again = shell(pilot + " --json");
  ASSERT_EQ(again.exit_status, 0) << again.err;
  const auto json = nlohmann::json::parse(again.out);
  EXPECT_EQ(json.at("measured").size(), 5U);
  EXPECT_EQ(json.at("measured")[0].at("runs"), 2);
  const ProcessResult plan = shell("glidepath plan out --at 100% --json");
  ASSERT_EQ(plan.exit_status, 0) << plan.err;
  EXPECT_EQ(nlohmann::json::parse(plan.out).at("measured"), json.at("measured"));

  const ProcessResult other = shell(pilot + " --separate");
  EXPECT_EQ(other.exit_status, 2);
  EXPECT_EQ(other.err, "glidepath pilot: --out \"out\": holds another study; give a new folder\n");
  const ProcessResult separate = shell(
      "glidepath pilot run.toml --out runs --separate --spend 21% --points 3 --set base_lr=0.05 --quiet");
  ASSERT_EQ(separate.exit_status, 0) << separate.err;
  EXPECT_EQ(separate.err, "");
  EXPECT_THAT(separate.out, StartsWith("pilot, separate runs\nmeasured  3% "));
}

}  // namespace
}  // namespace glidepath
