// tests/distributed/place_test.cpp - what launchers leave in the environment.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "distributed/environment.h"
#include "glidepath/process_group.h"

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
  EXPECT_TRUE(place->store_is_served);
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
  EXPECT_THAT(place->port_file, HasSubstr("12345-1"));
}

TEST(Place, OfMpichTakesTheAddressGiven) {
  const auto place =
      place_in({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "1234"}});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->master_address, "10.0.0.1");
  EXPECT_EQ(place->master_port, 1234);
  EXPECT_EQ(place->port_file, "");
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
