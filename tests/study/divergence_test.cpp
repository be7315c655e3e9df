// tests/study/divergence_test.cpp - a learning rate that no network bears, with the real program on real
// data.
#include <cstdlib>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "study/support.h"

namespace glidepath {
namespace {

using Divergence = FolderTest;

TEST_F(Divergence, OfSomeRunsIsAResultOfTheStudy) {
  const auto file = write("s.toml",
                          "[base]\ndata = \"digits\"\nmodel = \"mlp\"\nfull = \"1ep\"\nbatch_size = 32\n"
                          "eval_every = \"end\"\n[grid]\nbase_lr = [0.1, 1e9]\nseed = [1, 2]\n");
  const std::string command = std::string(GLIDEPATH_PROGRAM) + " study " + file.string() +
                              " --jobs 1 --out " + (folder_ / "out").string() + " > " +
                              (folder_ / "stdout").string() + " 2> " + (folder_ / "stderr").string();
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 0) << text_of(folder_ / "stderr");
  EXPECT_THAT(text_of(folder_ / "stdout"), testing::HasSubstr(" diverged"));
  EXPECT_THAT(text_of(folder_ / "out" / "table.tex"), testing::HasSubstr("diverged"));
  EXPECT_THAT(text_of(folder_ / "stderr"), testing::HasSubstr(": diverged: the loss is "));
  std::size_t diverged = 0;
  for (const RunRecord& run : read_study_results(folder_ / "out").runs) {
    const bool is_wild = run.config.base_lr == 1e9;
    EXPECT_EQ(run.status, is_wild ? RunStatus::kDiverged : RunStatus::kDone) << run.error;
    EXPECT_EQ(run.attempts, 1);
    diverged += is_wild;
  }
  EXPECT_EQ(diverged, 2u);
}

}  // namespace
}  // namespace glidepath
