// src/ranks/meeting/environment.cpp - a process's place in its job, from what launchers leave in the
// environment.
#include "ranks/meeting/environment.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/process_group.h"
#include "ranks/meeting/job_secret.h"
#include "ranks/meeting/sockets.h"

namespace glidepath {
namespace {

using Get = std::function<const char*(const char*)>;

constexpr int kMostPorts = 65535;
// Ports of jobs that name none: above the well-known ones, below those that systems hand out.
constexpr int kFirstPort = 15000, kPorts = 16000;
constexpr const char* kLoopback = "127.0.0.1";
constexpr const char* kJoinSeconds = "GLIDEPATH_JOIN_SECONDS";
constexpr int kMostJoinSeconds = 1000000;

class Environment {
 public:
  explicit Environment(const Get& get)
      : get_(get ? get : [](const char* name) -> const char* { return std::getenv(name); }) {}

  std::string text(const char* name) const {
    const char* value = get_(name);
    return value == nullptr ? "" : value;
  }
  bool has(const char* name) const { return !text(name).empty(); }
  int whole(const char* name, int low, int high) const {
    const std::string value = text(name);
    const auto number = words::whole(value);
    if (!number || *number < low || *number > high) {
      throw InputError(
          fmt::format("environment {}=\"{}\": must be a whole number in [{}, {}]", name, value, low, high));
    }
    return static_cast<int>(*number);
  }
  int whole_or(const char* name, int fallback) const {
    return has(name) ? whole(name, 0, kMostRanks) : fallback;
  }

  static constexpr int kMostRanks = 1 << 20;

 private:
  Get get_;
};

/// What one kind of launcher calls things.
struct Names {
  const char* launcher;
  const char *rank, *size, *local_rank, *local_size;
};

constexpr Names kTorchrun{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
// A batch script has SLURM_PROCID too; the number of a step's tasks is told to what srun starts alone.
constexpr Names kSlurm{"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ""};
// The innermost first: jsrun sets what mpirun does as well; flux runs inside a step of srun, and sets PMI's.
constexpr Names kLaunchers[] = {
    kTorchrun,
    {"jsrun", "JSM_NAMESPACE_RANK", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_LOCAL_RANK",
     "JSM_NAMESPACE_LOCAL_SIZE"},
    {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"},
    {"flux", "FLUX_TASK_RANK", "FLUX_JOB_SIZE", "FLUX_TASK_LOCAL_ID", ""},
    {"mpiexec of PALS", "PALS_RANKID", "PMI_SIZE", "PALS_LOCAL_RANKID", "PALS_LOCAL_SIZE"},
    {"mpirun_rsh", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_LOCAL_RANK",
     "MV2_COMM_WORLD_LOCAL_SIZE"},
    {"mpirun_rsh", "MVP_COMM_WORLD_RANK", "MVP_COMM_WORLD_SIZE", "MVP_COMM_WORLD_LOCAL_RANK",
     "MVP_COMM_WORLD_LOCAL_SIZE"},
    {"horovodrun", "HOROVOD_RANK", "HOROVOD_SIZE", "HOROVOD_LOCAL_RANK", "HOROVOD_LOCAL_SIZE"},
    kSlurm,
    {"mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"},
};
// These tell a process its rank and not how many there are.
constexpr Names kUnknown[] = {{"mpiexec of PALS", "PALS_RANKID", "", "", ""},
                              {"aprun", "ALPS_APP_PE", "", "", ""},
                              {"poe", "MP_CHILD", "", "", ""}};
// What launchers call a job, of which there is one at a time.
constexpr const char* kJobs[] = {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "FLUX_JOB_ID", "PALS_APID"};

const Names* launcher_in(const Environment& environment) {
  for (const Names& names : kLaunchers) {
    if (environment.has(names.rank) && environment.has(names.size)) return &names;
  }
  return nullptr;
}

Place place_by(const Names& names, const Environment& environment) {
  Place place;
  place.world_size = environment.whole(names.size, 1, Environment::kMostRanks);
  place.rank = environment.whole(names.rank, 0, place.world_size - 1);
  place.local_rank = environment.whole_or(names.local_rank, -1);
  place.local_world_size = environment.whole_or(names.local_size, -1);
  place.secret = environment.text(kJobSecret);
  return place;
}

void take_master(Place& place, const Environment& environment) {
  place.master_address = environment.text("MASTER_ADDR");
  place.master_port = environment.whole("MASTER_PORT", 1, kMostPorts);
}

bool has_master(const Environment& environment) {
  return environment.has("MASTER_ADDR") && environment.has("MASTER_PORT");
}

/// All on one machine: rank 0 takes a free port and leaves it, with a secret, in a file that is named after
/// the job.
void meet_by_file(Place& place, const std::string& job) {
  std::string name;
  for (const char c : job) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  place.master_address = kLoopback;
  place.master_port = 0;
  place.meeting_file = (own_temporary_folder() / (name + ".meeting")).string();
}

// torchrun's agent serves a store of c10d's at MASTER_ADDR, which anybody can ask: no more than an address is
// left there. A job that it has started again has names of its own.
Place place_of_torchrun(const Environment& environment) {
  Place place = place_by(kTorchrun, environment);
  if (place.world_size == 1) return place;
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
    if (!environment.has(name)) {
      throw InputError(
          fmt::format("environment: RANK and WORLD_SIZE are set and {} is not; set it to rank "
                      "0's machine and a free port there, or start with glidepath launch",
                      name));
    }
  }
  take_master(place, environment);
  const std::string restarts = environment.text("TORCHELASTIC_RESTART_COUNT");
  place.store_prefix = store_prefix(restarts);
  place.store_is_served = environment.has(kStoreIsServed);
  if (place.store_is_served) return place;
  const bool is_one_machine = place.local_world_size == place.world_size || is_loopback(place.master_address);
  if (is_one_machine && place.secret.empty()) {
    meet_by_file(place, fmt::format("{}-{}-{}-{}", environment.text("TORCHELASTIC_RUN_ID"), restarts,
                                    place.master_address, place.master_port));
    return place;
  }
  place.agent_serves = environment.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return place;
}

Place place_of_mpi(const Names& names, const Environment& environment) {
  Place place = place_by(names, environment);
  if (place.world_size == 1) return place;
  if (has_master(environment)) {
    take_master(place, environment);
    return place;
  }
  // Where it is not told how many are here, all are: those who do not come are missed.
  const bool knows = *names.local_size != '\0' && environment.has(names.local_size);
  const bool is_flux_on_one = environment.text("FLUX_JOB_NNODES") == "1";
  if (!is_flux_on_one && (!knows || place.local_world_size != place.world_size)) {
    throw InputError(fmt::format(
        "environment: MASTER_ADDR and MASTER_PORT are needed where {} starts processes on more than "
        "one machine; give {}",
        names.launcher,
        std::string(names.launcher) == "mpirun"
            ? "mpirun -x MASTER_ADDR=<machine of rank 0> -x MASTER_PORT=29500"
            : "them the machine of rank 0 and a free port there, such as 29500"));
  }
  for (const char* name : kJobs) {
    if (!environment.has(name)) continue;
    meet_by_file(place, environment.text(name));
    return place;
  }
  // All have one parent, unless it starts scripts that start us.
  meet_by_file(place, fmt::format("{}-{}", environment.text("PMI_JOBID"), ::getppid()));
  return place;
}

Place place_of_slurm(const Environment& environment) {
  Place place = place_by(kSlurm, environment);
  if (place.world_size == 1) return place;
  if (has_master(environment)) {
    take_master(place, environment);
    return place;
  }
  const int job = environment.whole("SLURM_JOB_ID", 0, std::numeric_limits<int>::max());
  const int step = environment.whole_or("SLURM_STEP_ID", 0);
  if (environment.text("SLURM_STEP_NUM_NODES") == "1") {
    meet_by_file(place, fmt::format("slurm-{}-{}", job, step));
    return place;
  }
  std::string nodes = environment.text("SLURM_STEP_NODELIST");
  if (nodes.empty()) nodes = environment.text("SLURM_JOB_NODELIST");
  if (nodes.empty()) {
    throw InputError("environment: SLURM_STEP_NODELIST is missing; set MASTER_ADDR and MASTER_PORT");
  }
  place.master_address = first_node(nodes);
  place.master_port = kFirstPort + (job % kPorts + 31 * (step % kPorts)) % kPorts;
  return place;
}

[[noreturn]] void refuse(const Names& names, const Environment& environment) {
  throw InputError(fmt::format(
      "environment {}=\"{}\": started by {}, which does not tell how many processes there are; set RANK, "
      "WORLD_SIZE, MASTER_ADDR and MASTER_PORT for each, or give --alone for a run of this process's own",
      names.rank, environment.text(names.rank), names.launcher));
}

}  // namespace

std::string first_node(const std::string& nodes) {
  const auto bracket = nodes.find_first_of("[,");
  if (bracket == std::string::npos || nodes[bracket] == ',') return nodes.substr(0, bracket);
  const auto end = nodes.find_first_of("-,]", bracket);
  if (end == std::string::npos) {
    throw InputError(
        fmt::format("environment SLURM_STEP_NODELIST=\"{}\": cannot be read; set MASTER_ADDR and "
                    "MASTER_PORT",
                    nodes));
  }
  return nodes.substr(0, bracket) + nodes.substr(bracket + 1, end - bracket - 1);
}

std::optional<int> join_seconds_from_environment(const Get& get) {
  const Environment environment(get);
  if (!environment.has(kJoinSeconds)) return std::nullopt;
  return environment.whole(kJoinSeconds, 1, kMostJoinSeconds);
}

std::string store_prefix(const std::string& restarts) { return fmt::format("glidepath/{}/", restarts); }

std::optional<Seat> seat_from_environment(const Get& get) {
  const Environment environment(get);
  const Names* names = launcher_in(environment);
  if (names == nullptr) return std::nullopt;
  const Place place = place_by(*names, environment);
  return Seat{names->launcher, place.rank, place.world_size};
}

std::optional<Place> place_from_environment(const Get& get) {
  const Environment environment(get);
  const Names* names = launcher_in(environment);
  if (names == nullptr) {
    for (const Names& unknown : kUnknown) {
      if (environment.has(unknown.rank)) refuse(unknown, environment);
    }
    return std::nullopt;
  }
  const std::string rank = names->rank;
  Place place = rank == kTorchrun.rank ? place_of_torchrun(environment)
                : rank == kSlurm.rank  ? place_of_slurm(environment)
                                       : place_of_mpi(*names, environment);
  if (place.world_size == 1) return std::nullopt;
  return place;
}

}  // namespace glidepath
