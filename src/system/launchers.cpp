// src/system/launchers.cpp - what launchers of jobs leave in the environment.
#include "system/launchers.h"

#include <algorithm>
#include <iterator>
#include <unistd.h>

namespace glidepath {
namespace {

constexpr std::string_view kNames[] = {
    "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK", "GROUP_WORLD_SIZE",
    "MASTER_ADDR", "MASTER_PORT", "GLIDEPATH_JOB_SECRET", "GLIDEPATH_STORE_IS_SERVED",
    // of Slurm, what is said of a step or a task
    "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURM_GTIDS", "SLURM_TASK_PID",
    "SLURM_LAUNCH_NODE_IPADDR", "SLURM_MPI_TYPE", "SLURM_PMIXP_ABORT_AGENT_PORT", "SLURM_PMIX_MAPPING_SERV",
    "MP_CHILD", "ALPS_APP_PE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};
constexpr std::string_view kPrefixes[] = {"TORCHELASTIC_", "ROLE_",        "OMPI_",
                                          "PMIX_",         "PRTE_",        "PMI_",
                                          "HYDI_",         "HYDRA_",       "HYD_",
                                          "I_MPI_HYDRA_",  "MV2_COMM_",    "MVP_COMM_",
                                          "MPIRUN_",       "JSM_",         "FLUX_TASK_",
                                          "FLUX_JOB_",     "PALS_",        "HOROVOD_",
                                          "SLURM_STEP_",   "SLURM_STEPID", "SLURM_SRUN_COMM_"};

}  // namespace

bool is_of_launcher(std::string_view name) {
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
         std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [name](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; });
}

std::vector<std::string> environment_without_launchers() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!is_of_launcher(text.substr(0, text.find('=')))) kept.emplace_back(text);
  }
  return kept;
}

}  // namespace glidepath
