// src/programs/environment.h - what programs of others get to see of this process's environment.
#pragma once
#include <string>
#include <vector>

namespace glidepath {

/// Whose environment it is. Each gets PATH, HOME, who the user is, TMPDIR, LD_LIBRARY_PATH and the ticket of
/// Kerberos, and the messages of the C locale: what else the user's shell sets may change what a program does
/// or how it answers (SLURM_TIME_FORMAT, SQUEUE_FORMAT, npm_config_json, GNUTERM).
enum class ProgramKind {
  kSlurm,    ///< squeue, sacct, scancel, scontrol: also where Slurm is; times are told in UTC
  kSbatch,   ///< all that a job may need, as it inherits it, less Slurm's own; whose account it goes to stays
  kNpm,      ///< also proxies, certificates, and where npm's registry, cache and settings are
  kGnuplot,  ///< also where fonts are
};

/// As "NAME=value", made anew at each call.
std::vector<std::string> environment_for(ProgramKind kind);

}  // namespace glidepath
