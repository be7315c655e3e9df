// src/distributed/environment.cpp - a process's place in its job, from what launchers leave in the
// environment.
#include "distributed/environment.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>

#include "core/words.h"
#include "glidepath/process_group.h"

namespace glidepath {
namespace {

using Get = std::function<const char*(const char*)>;

constexpr int kMostPorts = 65535;
// Ports of jobs that name none: above the well-known ones, below those that systems hand out.
constexpr int kFirstPort = 15000, kPorts = 16000;
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
constexpr Names kOpenMpi{"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                         "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr Names kMpich{"mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};
// A batch script has SLURM_PROCID too; the number of a step's tasks is told to what srun starts alone.
constexpr Names kSlurm{"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ""};

Place place_by(const Names& names, const Environment& environment) {
  Place place;
  place.world_size = environment.whole(names.size, 1, Environment::kMostRanks);
  place.rank = environment.whole(names.rank, 0, place.world_size - 1);
  place.local_rank = environment.whole_or(names.local_rank, -1);
  place.local_world_size = environment.whole_or(names.local_size, -1);
  return place;
}

void take_master(Place& place, const Environment& environment) {
  place.master_address = environment.text("MASTER_ADDR");
  place.master_port = environment.whole("MASTER_PORT", 1, kMostPorts);
}

/// All on one machine: rank 0 takes a free port and leaves it in a file that is named after the job.
void meet_by_file(Place& place, const std::string& job) {
  const char* folder = std::getenv("TMPDIR");
  std::string name;
  for (const char c : job) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  place.master_address = "127.0.0.1";
  place.port_file =
      fmt::format("{}/glidepath-{}-{}.port", folder == nullptr ? "/tmp" : folder, ::getuid(), name);
}

Place place_of_mpi(const Names& names, const Environment& environment) {
  Place place = place_by(names, environment);
  if (environment.has("MASTER_ADDR") && environment.has("MASTER_PORT")) {
    take_master(place, environment);
    return place;
  }
  if (place.local_world_size != place.world_size) {
    throw InputError(
        "environment: MASTER_ADDR and MASTER_PORT are needed where mpirun starts processes on more than one "
        "machine; give mpirun -x MASTER_ADDR=<machine of rank 0> -x MASTER_PORT=29500");
  }
  std::string job;
  for (const char* name : {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID", "HYDI_CONTROL_FD"}) {
    if (job.empty()) job = environment.text(name);
  }
  meet_by_file(place, fmt::format("{}-{}", job, ::getppid()));
  return place;
}

Place place_of_slurm(const Environment& environment) {
  Place place = place_by(kSlurm, environment);
  if (environment.has("MASTER_ADDR") && environment.has("MASTER_PORT")) {
    take_master(place, environment);
    return place;
  }
  std::string nodes = environment.text("SLURM_STEP_NODELIST");
  if (nodes.empty()) nodes = environment.text("SLURM_JOB_NODELIST");
  if (nodes.empty()) {
    throw InputError("environment: SLURM_STEP_NODELIST is missing; set MASTER_ADDR and MASTER_PORT");
  }
  place.master_address = first_node(nodes);
  const int job = environment.whole("SLURM_JOB_ID", 0, std::numeric_limits<int>::max());
  const int step = environment.whole_or("SLURM_STEP_ID", 0);
  place.master_port = kFirstPort + (job % kPorts + 31 * (step % kPorts)) % kPorts;
  return place;
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

std::optional<Place> place_from_environment(const Get& get) {
  const Environment environment(get);
  std::optional<Place> place;
  if (environment.has("RANK") && environment.has("WORLD_SIZE")) {
    place = place_by(kTorchrun, environment);
    if (place->world_size > 1) {
      for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
        if (!environment.has(name)) {
          throw InputError(
              fmt::format("environment: RANK and WORLD_SIZE are set and {} is not; set it to rank "
                          "0's machine and a free port there, or start with glidepath launch",
                          name));
        }
      }
      take_master(*place, environment);
    }
    // torchrun's agent may serve the store itself; a job that it has started again has keys of its own.
    place->store_is_served = environment.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
    place->store_prefix = store_prefix(environment.text("TORCHELASTIC_RESTART_COUNT"));
  } else if (environment.has(kOpenMpi.rank) && environment.has(kOpenMpi.size)) {
    place = place_of_mpi(kOpenMpi, environment);
  } else if (environment.has(kSlurm.rank) && environment.has(kSlurm.size)) {
    if (environment.whole(kSlurm.size, 1, Environment::kMostRanks) > 1) place = place_of_slurm(environment);
  } else if (environment.has(kMpich.rank) && environment.has(kMpich.size)) {
    place = place_of_mpi(kMpich, environment);
  }
  if (!place || place->world_size == 1) return std::nullopt;
  return place;
}

}  // namespace glidepath
