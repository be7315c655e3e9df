// src/ranks/meeting/launcher.h - starts the processes of a job on this machine and looks after them.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

struct LaunchOptions {
  int ranks = 1;             ///< on this machine
  int threads_per_rank = 0;  ///< 0: the cores, evenly
  int nodes = 1, node = 0;   ///< machines of the job, and which of them this is
  std::string master_address = "127.0.0.1";
  int master_port = 0;  ///< 0: a free one, on one machine alone
  int join_seconds =
      0;  ///< for all ranks to come; 0: as the environment says, or the default of ProcessGroupOptions
};

/// Runs `program` with `arguments` as every rank and waits for their end. SIGINT, SIGTERM, SIGHUP, SIGUSR1
/// and SIGUSR2 are passed on to all of them. When one has failed the others have half a minute to save what
/// they have and stop; then they are killed.
/// Returns the exit status: 0 when all ended well, otherwise that of the lowest rank that ended by itself
/// and not well. Throws InputError for options that contradict each other, RunError when ranks were killed
/// and none was left to say so.
int launch(const std::string& program, const std::vector<std::string>& arguments,
           const LaunchOptions& options);

}  // namespace glidepath
