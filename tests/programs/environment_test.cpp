// tests/programs/environment_test.cpp - what programs of others see of the user's environment.
#include "programs/environment.h"

#include <cstdlib>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

extern char** environ;

namespace glidepath {
namespace {

using testing::Contains;
using testing::Each;
using testing::Not;
using testing::StartsWith;

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    for (char** entry = environ; *entry != nullptr; ++entry) before_.emplace_back(*entry);
    ::clearenv();
    for (const char* entry : {"PATH=/usr/bin",
                              "HOME=/home/a",
                              "TMPDIR=/scratch",
                              "LD_LIBRARY_PATH=/opt/slurm/lib",
                              "TZ=America/New_York",
                              "LC_ALL=tr_TR.UTF-8",
                              "LANG=tr_TR.UTF-8",
                              "LD_PRELOAD=/x.so",
                              "SLURM_TIME_FORMAT=relative",
                              "SLURM_CONF=/etc/slurm.conf",
                              "SLURM_MEM_PER_NODE=4",
                              "SLURM_JOB_ID=1",
                              "SQUEUE_FORMAT=%A",
                              "SBATCH_EXPORT=NONE",
                              "SBATCH_TIMELIMIT=1",
                              "SBATCH_ACCOUNT=physics",
                              "SACCT_FORMAT=x",
                              "npm_config_json=true",
                              "npm_config_registry=http://registry",
                              "NPM_CONFIG_CAFILE=/ca",
                              "HTTPS_PROXY=http://proxy",
                              "http_proxy=http://proxy",
                              "NODE_OPTIONS=--require=/x.js",
                              "GNUTERM=dumb",
                              "GNUPLOT_LIB=/x",
                              "FONTCONFIG_PATH=/fonts",
                              "OMP_NUM_THREADS=4",
                              "MY_MODULE=1"}) {
      const std::string text = entry;
      ::setenv(text.substr(0, text.find('=')).c_str(), text.substr(text.find('=') + 1).c_str(), 1);
    }
  }
  ~EnvironmentTest() override {
    ::clearenv();
    for (const std::string& entry : before_)
      ::setenv(entry.substr(0, entry.find('=')).c_str(), entry.substr(entry.find('=') + 1).c_str(), 1);
  }
  std::vector<std::string> before_;
};

TEST_F(EnvironmentTest, IsTheLeastThatEachNeeds) {
  const std::vector<std::string> all = {"PATH=/usr/bin", "HOME=/home/a", "TMPDIR=/scratch",
                                        "LD_LIBRARY_PATH=/opt/slurm/lib", "LC_ALL=C"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), all.begin(), all.end());
    return more;
  };
  EXPECT_THAT(environment_for(ProgramKind::kSlurm),
              testing::UnorderedElementsAreArray(with({"SLURM_CONF=/etc/slurm.conf", "TZ=UTC0"})));
  EXPECT_THAT(environment_for(ProgramKind::kGnuplot),
              testing::UnorderedElementsAreArray(with({"FONTCONFIG_PATH=/fonts"})));
  EXPECT_THAT(
      environment_for(ProgramKind::kNpm),
      testing::UnorderedElementsAreArray(with({"npm_config_registry=http://registry", "NPM_CONFIG_CAFILE=/ca",
                                               "HTTPS_PROXY=http://proxy", "http_proxy=http://proxy"})));
}

TEST_F(EnvironmentTest, OfAJobIsTheUsersLessWhatWouldChangeItsScript) {
  const std::vector<std::string> job = environment_for(ProgramKind::kSbatch);
  EXPECT_THAT(job, testing::IsSupersetOf({"OMP_NUM_THREADS=4", "MY_MODULE=1", "SLURM_CONF=/etc/slurm.conf",
                                          "SBATCH_ACCOUNT=physics", "PATH=/usr/bin"}));
  for (const char* gone : {"SBATCH_EXPORT", "SBATCH_TIMELIMIT", "SLURM_MEM_PER_NODE", "SLURM_JOB_ID",
                           "SLURM_TIME_FORMAT", "SQUEUE_FORMAT", "SACCT_FORMAT"}) {
    EXPECT_THAT(job, Each(Not(StartsWith(gone)))) << gone;
  }
}

}  // namespace
}  // namespace glidepath
