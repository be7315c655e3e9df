// tests/system/launchers_test.cpp - what processes that are no part of a job must not see.
#include "system/launchers.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

namespace glidepath {
namespace {

TEST(Launchers, KnowTheirVariables) {
  for (const char* name : {"RANK",
                           "WORLD_SIZE",
                           "LOCAL_RANK",
                           "MASTER_ADDR",
                           "MASTER_PORT",
                           "TORCHELASTIC_RUN_ID",
                           "GROUP_RANK",
                           "ROLE_RANK",
                           "OMPI_COMM_WORLD_RANK",
                           "OMPI_COMM_WORLD_SIZE",
                           "PMIX_NAMESPACE",
                           "PMI_RANK",
                           "PMI_SIZE",
                           "MPI_LOCALRANKID",
                           "HYDI_CONTROL_FD",
                           "MV2_COMM_WORLD_RANK",
                           "SLURM_PROCID",
                           "SLURM_STEP_NUM_TASKS",
                           "SLURM_LOCALID",
                           "SLURM_STEPID",
                           "JSM_NAMESPACE_RANK",
                           "FLUX_TASK_RANK",
                           "FLUX_JOB_SIZE",
                           "PALS_RANKID",
                           "ALPS_APP_PE",
                           "HOROVOD_RANK",
                           "GLIDEPATH_JOB_SECRET"})
    EXPECT_TRUE(is_of_launcher(name)) << name;
  for (const char* name :
       {"PATH", "HOME", "OMP_NUM_THREADS", "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK", "SLURM_JOB_NODELIST",
        "CUDA_VISIBLE_DEVICES", "GLIDEPATH_DATA", "RANKING", "GLOO_SOCKET_IFNAME"})
    EXPECT_FALSE(is_of_launcher(name)) << name;
}

TEST(Launchers, LeaveTheRestOfTheEnvironmentAlone) {
  ::setenv("OMPI_COMM_WORLD_RANK", "1", 1);
  ::setenv("GLIDEPATH_TEST_KEPT", "a=b", 1);
  const auto kept = environment_without_launchers();
  EXPECT_NE(std::find(kept.begin(), kept.end(), "GLIDEPATH_TEST_KEPT=a=b"), kept.end());
  EXPECT_EQ(std::find(kept.begin(), kept.end(), "OMPI_COMM_WORLD_RANK=1"), kept.end());
  ::unsetenv("OMPI_COMM_WORLD_RANK");
  ::unsetenv("GLIDEPATH_TEST_KEPT");
}

}  // namespace
}  // namespace glidepath
