// tests/ranks/place_test.cpp - what launchers leave in the environment.
#include <map>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "glidepath/process_group.h"
#include "ranks/meeting/environment.h"

namespace glidepath {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

std::optional<Place> place_in(const Variables& variables) {
  return place_from_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Place, IsWhatTorchrunSays) {
  const auto place = place_in({{"RANK", "3"},
                               {"WORLD_SIZE", "4"},
                               {"LOCAL_RANK", "1"},
                               {"LOCAL_WORLD_SIZE", "2"},
                               {"MASTER_ADDR", "node7"},
                               {"MASTER_PORT", "29501"},
                               {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                               {"TORCHELASTIC_RESTART_COUNT", "2"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->world_size, 4);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->local_world_size, 2);
  EXPECT_EQ(place->master_address, "node7");
  EXPECT_EQ(place->master_port, 29501);
  EXPECT_TRUE(place->agent_serves);
  EXPECT_FALSE(place->store_is_served);
  EXPECT_EQ(place->meeting_file, "");
  EXPECT_THAT(place->store_prefix, HasSubstr("2"));
}

TEST(Place, IsNoneForAProcessOnItsOwn) {
  EXPECT_FALSE(place_in({}));
  EXPECT_FALSE(place_in({{"RANK", "0"}}));
  EXPECT_FALSE(place_in({{"RANK", "0"}, {"WORLD_SIZE", "1"}}));
  EXPECT_FALSE(place_in(
      {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}}));
  // A batch script has these, and is not a step of srun.
  EXPECT_FALSE(place_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_ID", "12"}}));
  // An interactive step.
  EXPECT_FALSE(place_in({{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}));
}

TEST(Place, OfOpenMpiOnOneMachineNeedsNoAddress) {
  const auto place = place_in({{"OMPI_COMM_WORLD_RANK", "1"},
                               {"OMPI_COMM_WORLD_SIZE", "2"},
                               {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                               {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                               {"PMIX_NAMESPACE", "12345@1"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 1);
  EXPECT_EQ(place->master_address, "127.0.0.1");
  EXPECT_EQ(place->master_port, 0);
  EXPECT_THAT(place->meeting_file, HasSubstr("12345-1"));
}

TEST(Place, OfMpichTakesTheAddressGiven) {
  const auto place =
      place_in({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "1234"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->master_address, "10.0.0.1");
  EXPECT_EQ(place->master_port, 1234);
  EXPECT_EQ(place->meeting_file, "");
}

TEST(Place, OfSrunMeetsAtTheFirstMachine) {
  const Variables variables = {{"SLURM_PROCID", "5"},     {"SLURM_STEP_NUM_TASKS", "8"},
                               {"SLURM_LOCALID", "1"},    {"SLURM_STEP_NODELIST", "gpu[03-05,9]"},
                               {"SLURM_JOB_ID", "70123"}, {"SLURM_STEP_ID", "2"}};
  const auto place = place_in(variables);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 5);
  EXPECT_EQ(place->world_size, 8);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->master_address, "gpu03");
  EXPECT_EQ(place->master_port, 15000 + (70123 % 16000 + 62) % 16000);
  Variables other = variables;
  other["SLURM_STEP_ID"] = "3";
  EXPECT_NE(place_in(other)->master_port, place->master_port);
}

// They meet by a file that this user alone can read, and by loopback; a port that is given is not needed.
TEST(Place, OnOneMachineIsNobodyElses) {
  const Variables torchrun = {{"RANK", "1"},
                              {"WORLD_SIZE", "2"},
                              {"LOCAL_RANK", "1"},
                              {"LOCAL_WORLD_SIZE", "2"},
                              {"MASTER_ADDR", "node7"},
                              {"MASTER_PORT", "29501"},
                              {"TORCHELASTIC_RUN_ID", "none"},
                              {"TORCHELASTIC_USE_AGENT_STORE", "True"}};
  const Variables by_hand = {
      {"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "localhost"}, {"MASTER_PORT", "29501"}};
  const Variables srun = {{"SLURM_PROCID", "1"},         {"SLURM_STEP_NUM_TASKS", "2"},
                          {"SLURM_STEP_NUM_NODES", "1"}, {"SLURM_STEP_NODELIST", "gpu03"},
                          {"SLURM_JOB_ID", "70123"},     {"SLURM_STEP_ID", "2"}};
  for (const Variables& variables : {torchrun, by_hand, srun}) {
    const auto place = place_in(variables);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->master_address, "127.0.0.1");
    EXPECT_EQ(place->master_port, 0);
    EXPECT_THAT(place->meeting_file, HasSubstr("/glidepath-" + std::to_string(::geteuid()) + "/"));
    EXPECT_FALSE(place->agent_serves);
  }
  Variables again = torchrun;
  again["TORCHELASTIC_RESTART_COUNT"] = "1";
  EXPECT_NE(place_in(again)->meeting_file, place_in(torchrun)->meeting_file);
}

TEST(Place, OfLaunchHasItsStoreAndSecret) {
  const auto place = place_in({{"RANK", "1"},
                               {"WORLD_SIZE", "2"},
                               {"LOCAL_WORLD_SIZE", "2"},
                               {"MASTER_ADDR", "127.0.0.1"},
                               {"MASTER_PORT", "4711"},
                               {"GLIDEPATH_STORE_IS_SERVED", "1"},
                               {"GLIDEPATH_JOB_SECRET", "abc"}});
  ASSERT_TRUE(place);
  EXPECT_TRUE(place->store_is_served);
  EXPECT_EQ(place->secret, "abc");
  EXPECT_EQ(place->master_port, 4711);
}

// Each with the variables that its documentation names.
TEST(Place, KnowsOtherLaunchers) {
  struct Case {
    const char* launcher;
    Variables variables;
  };
  const Case cases[] = {
      {"jsrun",
       {{"JSM_NAMESPACE_RANK", "1"},
        {"JSM_NAMESPACE_SIZE", "3"},
        {"JSM_NAMESPACE_LOCAL_RANK", "1"},
        {"JSM_NAMESPACE_LOCAL_SIZE", "3"},
        {"OMPI_COMM_WORLD_RANK", "1"},
        {"OMPI_COMM_WORLD_SIZE", "3"}}},
      {"flux",
       {{"FLUX_TASK_RANK", "1"},
        {"FLUX_JOB_SIZE", "3"},
        {"FLUX_TASK_LOCAL_ID", "1"},
        {"FLUX_JOB_NNODES", "1"},
        {"FLUX_JOB_ID", "f1"},
        {"SLURM_PROCID", "0"},
        {"SLURM_STEP_NUM_TASKS", "2"}}},
      {"mpiexec of PALS",
       {{"PALS_RANKID", "1"},
        {"PMI_SIZE", "3"},
        {"PMI_RANK", "1"},
        {"PALS_LOCAL_RANKID", "1"},
        {"PALS_LOCAL_SIZE", "3"}}},
      {"mpirun_rsh",
       {{"MV2_COMM_WORLD_RANK", "1"},
        {"MV2_COMM_WORLD_SIZE", "3"},
        {"MV2_COMM_WORLD_LOCAL_RANK", "1"},
        {"MV2_COMM_WORLD_LOCAL_SIZE", "3"}}},
      {"horovodrun",
       {{"HOROVOD_RANK", "1"},
        {"HOROVOD_SIZE", "3"},
        {"HOROVOD_LOCAL_RANK", "1"},
        {"HOROVOD_LOCAL_SIZE", "3"}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.launcher);
    const auto place = place_in(c.variables);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->rank, 1);
    EXPECT_EQ(place->world_size, 3);
    EXPECT_EQ(place->local_rank, 1);
    EXPECT_NE(place->meeting_file, "");
    const auto seat = seat_from_environment([&](const char* name) -> const char* {
      const auto found = c.variables.find(name);
      return found == c.variables.end() ? nullptr : found->second.c_str();
    });
    ASSERT_TRUE(seat);
    EXPECT_EQ(seat->launcher, c.launcher);
    EXPECT_EQ(seat->size, 3);
  }
}

TEST(Place, ReadsSlurmsListsOfMachines) {
  EXPECT_EQ(first_node("a"), "a");
  EXPECT_EQ(first_node("a1,a2"), "a1");
  EXPECT_EQ(first_node("n[07-12,20],x"), "n07");
  EXPECT_EQ(first_node("n[3],x"), "n3");
  EXPECT_EQ(first_node("n,m[1-2]"), "n");
  EXPECT_THROW(first_node("n[3"), InputError);
}

TEST(Place, RefusesWhatCannotBe) {
  struct Case {
    Variables variables;
    const char* message;
  };
  const Case cases[] = {
      {{{"RANK", "2"}, {"WORLD_SIZE", "2"}}, "RANK=\"2\": must be a whole number in [0, 1]"},
      {{{"RANK", "x"}, {"WORLD_SIZE", "2"}}, "RANK=\"x\""},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}}, "MASTER_ADDR"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}}, "MASTER_PORT"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}},
       "MASTER_PORT=\"70000\""},
      {{{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}},
       "mpirun -x MASTER_ADDR"},
      {{{"MV2_COMM_WORLD_RANK", "0"}, {"MV2_COMM_WORLD_SIZE", "4"}, {"MV2_COMM_WORLD_LOCAL_SIZE", "2"}},
       "where mpirun_rsh starts processes on more than one machine"},
      {{{"PALS_RANKID", "0"}}, "PALS_RANKID=\"0\": started by mpiexec of PALS, which does not tell how many"},
      {{{"ALPS_APP_PE", "3"}}, "started by aprun"},
  };
  for (const Case& c : cases) {
    try {
      place_in(c.variables);
      ADD_FAILURE() << c.message;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(c.message));
    }
  }
}

TEST(JoinSeconds, AreWhatTheEnvironmentSays) {
  std::string said;
  const auto get = [&](const char* name) -> const char* {
    return name == std::string("GLIDEPATH_JOIN_SECONDS") && !said.empty() ? said.c_str() : nullptr;
  };
  EXPECT_EQ(join_seconds_from_environment(get), std::nullopt);
  said = "45";
  EXPECT_EQ(join_seconds_from_environment(get), 45);
  for (const char* wrong : {"0", "-1", "soon", "1.5"}) {
    said = wrong;
    try {
      join_seconds_from_environment(get);
      ADD_FAILURE() << "took " << wrong;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("GLIDEPATH_JOIN_SECONDS=\"" + said + "\""));
    }
  }
}

}  // namespace
}  // namespace glidepath
